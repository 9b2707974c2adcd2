-- Messages that were decided in a transaction and are not yet on JetStream; the relay deletes them after the ack.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  subject text NOT NULL,
  message_id text NOT NULL,
  payload bytea NOT NULL
) WITH (
  -- Rows live for milliseconds: vacuum by count, not by share of the table.
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_insert_threshold = -1
);

-- Messages that JetStream can never take (too large for the server); kept so that nothing is lost and the rest flows.
CREATE TABLE outbox_rejected (
  id bigint PRIMARY KEY,
  subject text NOT NULL,
  message_id text NOT NULL,
  payload bytea NOT NULL,
  reason text NOT NULL,
  rejected_at timestamptz NOT NULL DEFAULT now()
);

-- Events whose effects are in this schema, per consumer.
CREATE TABLE inbox (
  consumer text NOT NULL,
  event_id text NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_seen_at ON inbox (seen_at);

-- Range of a stream that a consumer is about to apply elsewhere; a crash repeats exactly that range.
CREATE TABLE consumer_state (
  consumer text NOT NULL,
  stream text NOT NULL,
  first_sequence bigint NOT NULL,
  last_sequence bigint NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, stream)
);
