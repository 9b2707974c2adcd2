-- Returns that came before their sales.
CREATE TABLE parked_return (
  brand text NOT NULL,
  return_id text NOT NULL,
  parked_id uuid NOT NULL,
  -- stampede.ledger.v1.ReturnReceiptRequest, and SHA-256 of it without its idempotency key.
  request bytea NOT NULL,
  content_hash bytea NOT NULL,
  -- Natural key of the sale.
  store_id text NOT NULL,
  till_id text NOT NULL,
  number text NOT NULL,
  business_day date NOT NULL,
  state text NOT NULL CHECK (state IN ('parked', 'posted', 'refused', 'timed_out')),
  parked_at timestamptz NOT NULL,
  parked_until timestamptz NOT NULL,
  resolved_at timestamptz,
  -- Of a refused one.
  error_code text NOT NULL DEFAULT '',
  error_field text NOT NULL DEFAULT '',
  error_message text NOT NULL DEFAULT '',
  CHECK ((state = 'parked') = (resolved_at IS NULL)),
  CHECK ((state = 'refused') = (error_code <> '')),
  PRIMARY KEY (return_id, brand)
);
CREATE UNIQUE INDEX parked_return_listed ON parked_return (parked_id, brand) WHERE state <> 'posted';
CREATE INDEX parked_return_waiting ON parked_return (parked_until) WHERE state = 'parked';
CREATE INDEX parked_return_resolved ON parked_return (resolved_at) WHERE resolved_at IS NOT NULL;
