-- How long a message waits for JetStream is what an alert looks at.
ALTER TABLE outbox ADD COLUMN written_at timestamptz NOT NULL DEFAULT now();
