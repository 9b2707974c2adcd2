-- What Google's callbacks say: who holds the card there, and which callbacks were taken already.
ALTER TABLE pass
  ADD COLUMN google_saved boolean NOT NULL DEFAULT false,
  ADD COLUMN google_saved_at timestamptz;

CREATE TABLE google_callback (
  -- Digest of the nonce.
  nonce bytea PRIMARY KEY,
  -- A callback is not taken after this, so its nonce need not be remembered longer.
  expires_at timestamptz NOT NULL
);
CREATE INDEX google_callback_by_end ON google_callback (expires_at);
