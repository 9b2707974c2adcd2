-- How far a ClickHouse store (sink) has taken a stream (source). A range is written here before its rows go to ClickHouse and
-- is the deduplication token there; after a crash exactly that range is sent again.
CREATE TABLE ingest_ranges (
  sink text NOT NULL,
  source text NOT NULL,
  done_through bigint NOT NULL DEFAULT 0,
  pending_first bigint,
  pending_last bigint,
  -- Sequences inside the pending range that repeat an event taken earlier. Fixed with the range, so that a replay leaves out the same ones.
  pending_skipped bigint[] NOT NULL DEFAULT '{}',
  owner text NOT NULL DEFAULT '',
  lease_until timestamptz NOT NULL DEFAULT '-infinity',
  PRIMARY KEY (sink, source),
  CHECK ((pending_first IS NULL) = (pending_last IS NULL)),
  CHECK (pending_first IS NULL OR (pending_first > done_through AND pending_last >= pending_first))
);

CREATE TABLE snapshots (
  brand text NOT NULL,
  idempotency_key text NOT NULL,
  -- As asked for; null when the caller left it to us.
  requested_as_of timestamptz,
  as_of timestamptz NOT NULL,
  started_at timestamptz NOT NULL,
  -- Id of the rows in ClickHouse. Null until they are complete: an attempt that was killed is never seen.
  snapshot_id uuid UNIQUE,
  finished_at timestamptz,
  members bigint NOT NULL DEFAULT 0,
  recency_thresholds double precision[] NOT NULL DEFAULT '{}',
  frequency_thresholds double precision[] NOT NULL DEFAULT '{}',
  monetary_thresholds double precision[] NOT NULL DEFAULT '{}',
  PRIMARY KEY (brand, idempotency_key),
  CHECK ((snapshot_id IS NULL) = (finished_at IS NULL))
);

CREATE INDEX snapshots_newest ON snapshots (brand, finished_at DESC) WHERE finished_at IS NOT NULL;
