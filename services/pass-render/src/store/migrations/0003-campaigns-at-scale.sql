-- What a campaign to millions reads and writes: whom it must not tell, tokens in the order of the passes, and the parts
-- of a chunk, so that one that is worked on again is handed out as the same parts.

ALTER TABLE pass
  -- How far the card's life is: the same as in details, where SQL cannot see it. Whoever writes details writes it, too.
  ADD COLUMN lifecycle text NOT NULL DEFAULT 'open',
  -- Bumps up to this version are hidden: consent was withdrawn after them.
  ADD COLUMN message_floor bigint NOT NULL DEFAULT 0;
CREATE INDEX pass_silent ON pass (brand, no) WHERE NOT (marketing_consent AND status = 'active' AND lifecycle = 'open');

-- The device's token again: phones of neighbouring passes are then read in one scan. The table device stays what counts.
ALTER TABLE registration ADD COLUMN push_token bytea;
UPDATE registration r SET push_token = d.push_token FROM device d
  WHERE d.brand = r.brand AND d.device_library_id = r.device_library_id;
ALTER TABLE registration ALTER COLUMN push_token SET NOT NULL;
-- With the token in the index a chunk is one range of it, wherever its rows lie.
ALTER TABLE registration DROP CONSTRAINT registration_pkey;
ALTER TABLE registration ADD PRIMARY KEY (brand, no, device_library_id) INCLUDE (push_token);

-- Version of the messages to many that reached 8,192 passes: its lock makes them come one after another, so that of two
-- the one that is seen later has the higher version.
CREATE TABLE audience_row (
  brand text NOT NULL,
  base bigint NOT NULL,
  version bigint NOT NULL,
  PRIMARY KEY (brand, base)
);

ALTER TABLE bump
  -- Grows with the bumps of its audience_row, whatever their ranks.
  ADD COLUMN version bigint NOT NULL DEFAULT 0,
  -- Where the parts end that its phones are handed out in: places in the bitmap. NULL until they are looked up.
  ADD COLUMN part_ends int[],
  -- When all parts of a campaign's row were on the stream. NULL: to be handed out (again).
  ADD COLUMN handed_at timestamptz;
UPDATE bump SET version = seq, handed_at = created_at;
INSERT INTO audience_row (brand, base, version) SELECT brand, base, max(version) FROM bump GROUP BY brand, base;
CREATE UNIQUE INDEX bump_by_chunk ON bump (brand, message_id, chunk_index);

ALTER TABLE message
  -- How Google's holders are told: class (one message for all), objects; NULL: not yet decided.
  ADD COLUMN google_mode text;
