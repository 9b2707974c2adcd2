-- Everything that grows with members is keyed by (brand, member_id) or by a time-ordered id within the brand,
-- and what is kept by month carries its business month: both can be partitioned without a change of statements.
-- A table with several indexes does not begin them with the brand: without statistics all look alike to the planner,
-- and it would read a whole brand through the wrong one.

CREATE TABLE programme (
  brand text NOT NULL,
  version integer NOT NULL CHECK (version >= 1),
  -- NULL: from the beginning of time.
  effective_at timestamptz,
  earn_basis_points integer NOT NULL CHECK (earn_basis_points BETWEEN 0 AND 10000),
  points_live_days integer NOT NULL CHECK (points_live_days BETWEEN 1 AND 3650),
  max_pay_basis_points integer NOT NULL CHECK (max_pay_basis_points BETWEEN 0 AND 10000),
  point_value_minor bigint NOT NULL CHECK (point_value_minor BETWEEN 1 AND 1000000),
  hold_seconds integer NOT NULL CHECK (hold_seconds BETWEEN 1 AND 86400),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (brand, version)
);

-- Totals of a member; a cache of the entries. The row is the mutex of all that happens to the member.
CREATE TABLE account (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  available bigint NOT NULL DEFAULT 0 CHECK (available >= 0),
  pending bigint NOT NULL DEFAULT 0 CHECK (pending >= 0),
  held bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
  debt bigint NOT NULL DEFAULT 0 CHECK (debt >= 0),
  version bigint NOT NULL DEFAULT 0 CHECK (version >= 0),
  lifetime_earned bigint NOT NULL DEFAULT 0,
  -- Enrolled, or used by a till: a row that was only locked by a refused command is not there for readers.
  known boolean NOT NULL DEFAULT false,
  PRIMARY KEY (brand, member_id)
) WITH (fillfactor = 80);

-- One row per posting; (brand, member_id, version) is its key, and what sorts a member's history.
CREATE TABLE transaction_row (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  version bigint NOT NULL CHECK (version >= 1),
  transaction_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('earn', 'spend', 'hold', 'commit', 'cancel', 'return', 'expire')),
  -- Receipt, return or hold; NULL for expiry.
  cause_id uuid,
  occurred_at timestamptz NOT NULL,
  posted_at timestamptz NOT NULL,
  business_month date NOT NULL,
  PRIMARY KEY (brand, member_id, version)
);

-- Entries of one transaction sum to zero. Debt of n points is a balance of -n.
CREATE TABLE entry (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  version bigint NOT NULL,
  account text NOT NULL CHECK (account IN ('available', 'pending', 'held', 'debt', 'issued', 'redeemed', 'expired')),
  amount bigint NOT NULL CHECK (amount <> 0),
  business_month date NOT NULL,
  PRIMARY KEY (brand, member_id, version, account)
);

CREATE TABLE lot (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  lot_id uuid NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  available bigint NOT NULL CHECK (available >= 0),
  held bigint NOT NULL CHECK (held >= 0),
  earned_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  receipt_id uuid NOT NULL,
  origin_lot_id uuid,
  CHECK (available + held <= amount),
  PRIMARY KEY (brand, member_id, lot_id)
) WITH (fillfactor = 80);
-- Exhausted lots leave it, so a loyal member stays as cheap to read as a new one.
CREATE INDEX lot_live ON lot (brand, member_id) WHERE available > 0 OR held > 0;
CREATE INDEX lot_due ON lot (expires_at) WHERE available > 0;

-- What a transaction changed in a lot. Sums to the lot, and per transaction to its entries.
CREATE TABLE allocation (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  version bigint NOT NULL,
  ordinal integer NOT NULL,
  lot_id uuid NOT NULL,
  purpose text NOT NULL
    CHECK (purpose IN ('grant', 'repay', 'hold', 'spend', 'release', 'restore', 'reverse', 'expire')),
  available bigint NOT NULL,
  held bigint NOT NULL,
  PRIMARY KEY (brand, member_id, version, ordinal)
);

CREATE TABLE hold (
  brand text NOT NULL,
  hold_id uuid NOT NULL,
  member_id uuid NOT NULL,
  reference text NOT NULL,
  points bigint NOT NULL CHECK (points > 0),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'committed', 'cancelled', 'expired')),
  committed bigint NOT NULL CHECK (committed BETWEEN 0 AND points),
  CHECK (state = 'committed' OR committed = 0),
  PRIMARY KEY (hold_id, brand)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX hold_open_reference ON hold (brand, member_id, reference) WHERE state = 'open';
CREATE INDEX hold_due ON hold (expires_at) WHERE state = 'open';

-- Which lots a hold holds; ordinal is the order of consumption. Rows stay when the hold is resolved.
CREATE TABLE hold_lot (
  brand text NOT NULL,
  hold_id uuid NOT NULL,
  ordinal integer NOT NULL,
  lot_id uuid NOT NULL,
  points bigint NOT NULL CHECK (points > 0),
  PRIMARY KEY (brand, hold_id, ordinal)
);

CREATE TABLE receipt (
  brand text NOT NULL,
  receipt_id uuid NOT NULL,
  member_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('sale', 'return')),
  store_id text NOT NULL,
  till_id text NOT NULL,
  business_day date NOT NULL,
  -- The till's number of a sale; the return_id of a return.
  number text NOT NULL,
  occurred_at timestamptz NOT NULL,
  posted_at timestamptz NOT NULL,
  programme_version integer NOT NULL,
  point_value_minor bigint NOT NULL,
  -- A sale's value; what a return gives back in money and points.
  total_minor bigint NOT NULL CHECK (total_minor >= 0),
  -- A return's share of total_minor in money.
  refund_minor bigint NOT NULL CHECK (refund_minor >= 0),
  points_earned bigint NOT NULL CHECK (points_earned >= 0),
  points_spent bigint NOT NULL CHECK (points_spent >= 0),
  -- A sale's hold.
  hold_id uuid,
  -- A return's sale.
  original_receipt_id uuid,
  -- SHA-256 of the request without its idempotency key, and the key that holds the answer.
  content_hash bytea NOT NULL,
  idempotency_key text NOT NULL,
  -- A sale's lot, what paid for it in the order of consumption, and what its returns took back.
  lot_id uuid,
  spend_lots uuid[] NOT NULL DEFAULT '{}',
  spend_points bigint[] NOT NULL DEFAULT '{}',
  reverse_lots uuid[] NOT NULL DEFAULT '{}',
  reverse_points bigint[] NOT NULL DEFAULT '{}',
  reverse_debt bigint NOT NULL DEFAULT 0 CHECK (reverse_debt >= 0),
  CHECK ((kind = 'return') = (original_receipt_id IS NOT NULL)),
  PRIMARY KEY (receipt_id, brand)
);
CREATE UNIQUE INDEX receipt_natural ON receipt (number, till_id, store_id, business_day, brand) WHERE kind = 'sale';
CREATE UNIQUE INDEX receipt_return ON receipt (number, brand) WHERE kind = 'return';
CREATE INDEX receipt_original ON receipt (original_receipt_id, brand) WHERE kind = 'return';

-- A sale's lines with their shares; a return's lines are in return_line.
CREATE TABLE receipt_line (
  brand text NOT NULL,
  receipt_id uuid NOT NULL,
  line_index integer NOT NULL CHECK (line_index >= 0),
  quantity bigint NOT NULL CHECK (quantity > 0),
  amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
  paid bigint NOT NULL CHECK (paid >= 0),
  earned bigint NOT NULL CHECK (earned >= 0),
  returned bigint NOT NULL CHECK (returned BETWEEN 0 AND quantity),
  sku text NOT NULL,
  category text NOT NULL,
  PRIMARY KEY (brand, receipt_id, line_index)
) WITH (fillfactor = 95);

CREATE TABLE return_line (
  brand text NOT NULL,
  receipt_id uuid NOT NULL,
  line_index integer NOT NULL CHECK (line_index >= 0),
  quantity bigint NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (brand, receipt_id, line_index)
);

-- Answers of writing requests, kept 400 days.
CREATE TABLE idempotency (
  brand text NOT NULL,
  key text NOT NULL,
  body_hash bytea NOT NULL,
  method text NOT NULL,
  response bytea NOT NULL,
  -- Receipt, return or hold that the request made.
  cause_id uuid,
  business_month date NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (brand, key)
);
CREATE INDEX idempotency_created ON idempotency USING brin (created_at);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never changed: post a correction', TG_TABLE_NAME;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transaction_row
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON allocation
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
