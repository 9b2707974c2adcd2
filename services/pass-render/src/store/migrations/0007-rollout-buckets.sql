-- Cards that a publication reaches: buckets of their numbers, from the first to before the end.
ALTER TABLE rollout
  ADD COLUMN from_bucket int NOT NULL DEFAULT 0,
  ADD COLUMN end_bucket int NOT NULL DEFAULT 1000;

-- Answers to PublishTemplate by idempotency key.
CREATE TABLE template_publication (
  brand text NOT NULL,
  idempotency_key text NOT NULL,
  template_id text NOT NULL,
  version int NOT NULL,
  permille int NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (brand, idempotency_key)
);
