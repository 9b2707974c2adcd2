-- Accounts, lots and holds are kept as they are now; postings, receipts and answers are kept by month, so that old
-- months can be detached without touching a row. Statements find a few hundred rows by key, always: a table with
-- several indexes does not begin them with the brand, because without statistics all look alike to the planner, and it
-- would read a whole brand through the wrong one.

CREATE TABLE programme (
  brand text NOT NULL,
  version integer NOT NULL CHECK (version >= 1),
  -- NULL: from the beginning of time.
  effective_at timestamptz,
  -- stampede.ledger.v1.Programme.
  message bytea NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (brand, version)
);

CREATE TYPE ledger_account AS ENUM (
  -- The member's. A debt of n points is a balance of -n.
  'available', 'pending', 'held', 'debt',
  -- The programme's.
  'issued', 'redeemed', 'expired', 'adjusted', 'transferred', 'donated'
);

CREATE TYPE lot_purpose AS ENUM (
  'grant', 'activate', 'repay', 'hold', 'spend', 'release', 'restore', 'reverse', 'extend', 'expire', 'transfer'
);

-- Totals of a member in one currency; a cache of the entries. The row is the mutex of all that happens to them.
CREATE TABLE account (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  currency text NOT NULL,
  available bigint NOT NULL DEFAULT 0 CHECK (available >= 0),
  pending bigint NOT NULL DEFAULT 0 CHECK (pending >= 0),
  held bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
  debt bigint NOT NULL DEFAULT 0 CHECK (debt >= 0),
  version bigint NOT NULL DEFAULT 0 CHECK (version >= 0),
  lifetime_earned bigint NOT NULL DEFAULT 0,
  -- Enrolled, or used by a till: a row that was only locked by a refused command is not there for readers.
  known boolean NOT NULL DEFAULT false,
  PRIMARY KEY (brand, member_id, currency)
) WITH (fillfactor = 80);

CREATE FUNCTION sum_of(amounts bigint[]) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT coalesce(sum(amount), 0) FROM unnest(amounts) amount $$;

-- A transaction: entries that sum to zero, and what it changed in lots. (brand, member_id, currency, version) is its
-- key, and what sorts a member's history. By the month in which it was posted: versions grow from month to month.
CREATE TABLE posting (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  currency text NOT NULL,
  version bigint NOT NULL CHECK (version >= 1),
  transaction_id uuid NOT NULL,
  kind text NOT NULL,
  -- Receipt, return, hold or grant; NULL for what time does.
  cause_id uuid,
  occurred_at timestamptz NOT NULL,
  posted_at timestamptz NOT NULL,
  -- First day of posted_at's month, UTC.
  month date NOT NULL,
  entry_accounts ledger_account[] NOT NULL,
  entry_amounts bigint[] NOT NULL,
  lot_ids uuid[] NOT NULL,
  lot_purposes lot_purpose[] NOT NULL,
  lot_available bigint[] NOT NULL,
  lot_pending bigint[] NOT NULL,
  lot_held bigint[] NOT NULL,
  CHECK (cardinality(entry_accounts) = cardinality(entry_amounts)),
  CHECK (cardinality(lot_ids) = cardinality(lot_purposes) AND cardinality(lot_ids) = cardinality(lot_available)
    AND cardinality(lot_ids) = cardinality(lot_pending) AND cardinality(lot_ids) = cardinality(lot_held)),
  PRIMARY KEY (brand, member_id, currency, version, month)
) PARTITION BY RANGE (month);

CREATE TABLE lot (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  currency text NOT NULL,
  lot_id uuid NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  available bigint NOT NULL CHECK (available >= 0),
  pending bigint NOT NULL CHECK (pending >= 0),
  held bigint NOT NULL CHECK (held >= 0),
  earned_at timestamptz NOT NULL,
  -- When pending points become available; NULL: only by a command.
  activates_at timestamptz,
  -- NULL: never.
  expires_at timestamptz,
  -- Receipt, or the grant's own id.
  cause_id uuid NOT NULL,
  origin_lot_id uuid,
  -- Who bears what it costs.
  funder text NOT NULL,
  -- Share of it that repays what the member owes.
  repay_basis_points integer NOT NULL,
  CHECK (available + pending + held <= amount),
  PRIMARY KEY (brand, member_id, currency, lot_id)
) WITH (fillfactor = 80);
-- Exhausted lots leave it, so a loyal member stays as cheap to read as a new one.
CREATE INDEX lot_live ON lot (brand, member_id, currency) WHERE available > 0 OR pending > 0 OR held > 0;
CREATE INDEX lot_due ON lot (expires_at) WHERE available > 0;
CREATE INDEX lot_pending ON lot (activates_at) WHERE pending > 0;

-- Lots are in the order of consumption; they stay when the hold is resolved.
CREATE TABLE hold (
  brand text NOT NULL,
  hold_id uuid NOT NULL,
  member_id uuid NOT NULL,
  currency text NOT NULL,
  reference text NOT NULL,
  points bigint NOT NULL CHECK (points > 0),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'committed', 'cancelled', 'expired')),
  committed bigint NOT NULL CHECK (committed BETWEEN 0 AND points),
  lot_ids uuid[] NOT NULL,
  lot_points bigint[] NOT NULL,
  CHECK (cardinality(lot_ids) = cardinality(lot_points)),
  CHECK (state = 'committed' OR committed = 0),
  PRIMARY KEY (hold_id, brand)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX hold_open_reference ON hold (brand, member_id, currency, reference) WHERE state = 'open';
CREATE INDEX hold_due ON hold (expires_at) WHERE state = 'open';

-- The business month of a receipt is in its id: a UUIDv7 whose instant is the till's local time.
CREATE FUNCTION business_month(receipt_id uuid) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT date_trunc('month', uuid_extract_timestamp(receipt_id) AT TIME ZONE 'UTC')::date $$;

CREATE TABLE receipt (
  brand text NOT NULL,
  receipt_id uuid NOT NULL,
  -- business_month(receipt_id).
  month date NOT NULL,
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
  spend_lots uuid[] NOT NULL,
  spend_points bigint[] NOT NULL,
  reverse_lots uuid[] NOT NULL DEFAULT '{}',
  reverse_points bigint[] NOT NULL DEFAULT '{}',
  reverse_debt bigint NOT NULL DEFAULT 0 CHECK (reverse_debt >= 0),
  reverse_pending bigint NOT NULL DEFAULT 0 CHECK (reverse_pending >= 0),
  -- Lines of a sale with their shares. Of a return: how much of which line of the sale came back.
  line_indexes integer[] NOT NULL,
  line_quantities bigint[] NOT NULL,
  line_amounts bigint[] NOT NULL,
  line_paid bigint[] NOT NULL,
  line_earned bigint[] NOT NULL,
  -- Taken off the price at the shelf; amounts are what is left.
  line_discounts bigint[] NOT NULL,
  line_returned bigint[] NOT NULL,
  line_skus text[] NOT NULL,
  line_categories text[] NOT NULL,
  -- How a sale's points came about: stampede.ledger.v1.Explanations; NULL where only the base earned.
  explanations bytea,
  CHECK ((kind = 'return') = (original_receipt_id IS NOT NULL)),
  CHECK (cardinality(spend_lots) = cardinality(spend_points)),
  CHECK (cardinality(reverse_lots) = cardinality(reverse_points)),
  CHECK (cardinality(line_indexes) = cardinality(line_quantities)),
  CHECK (kind = 'return' OR (cardinality(line_quantities) = cardinality(line_amounts)
    AND cardinality(line_quantities) = cardinality(line_paid)
    AND cardinality(line_quantities) = cardinality(line_earned)
    AND cardinality(line_quantities) = cardinality(line_discounts)
    AND cardinality(line_quantities) = cardinality(line_returned)
    AND cardinality(line_quantities) = cardinality(line_skus)
    AND cardinality(line_quantities) = cardinality(line_categories))),
  PRIMARY KEY (receipt_id, brand, month)
) PARTITION BY RANGE (month);
CREATE UNIQUE INDEX receipt_natural ON receipt (number, till_id, store_id, business_day, brand, month)
  WHERE kind = 'sale';
CREATE UNIQUE INDEX receipt_return ON receipt (number, brand, month) WHERE kind = 'return';

-- What was given for something else than a purchase, once per event of a member.
CREATE TABLE event_grant (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  event_key text NOT NULL,
  grant_id uuid NOT NULL,
  -- What it gives now, corrections included.
  points bigint NOT NULL CHECK (points >= 0),
  -- SHA-256 of the request without its idempotency key.
  content_hash bytea NOT NULL,
  granted_at timestamptz NOT NULL,
  PRIMARY KEY (brand, member_id, event_key)
);

-- What members did on a day, net of returns, which count on the day of their sale: what tiers are reached by.
CREATE TABLE qualifying_day (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  day date NOT NULL,
  spend_minor bigint NOT NULL,
  points bigint NOT NULL,
  visits bigint NOT NULL,
  PRIMARY KEY (brand, member_id, day)
) WITH (fillfactor = 90);

CREATE TABLE member_tier (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  -- NULL: below the first tier.
  tier_id text,
  previous_tier_id text,
  since timestamptz NOT NULL,
  evaluate_at timestamptz NOT NULL,
  is_in_grace boolean NOT NULL,
  pinned_until timestamptz NOT NULL,
  joined_on date NOT NULL,
  -- Of a tier that was given by hand.
  reason text NOT NULL,
  -- Counts changes of the row.
  changes bigint NOT NULL CHECK (changes >= 1),
  -- Entry rewards that were given, `tier/first day of the window`, the newest last.
  rewards text[] NOT NULL,
  PRIMARY KEY (brand, member_id)
) WITH (fillfactor = 80);
CREATE INDEX member_tier_due ON member_tier (evaluate_at);

-- Corrections of balances by hand, and who stands for them.
CREATE TABLE adjustment (
  brand text NOT NULL,
  adjustment_id uuid NOT NULL,
  member_id uuid NOT NULL,
  points bigint NOT NULL CHECK (points <> 0),
  reason text NOT NULL,
  state text NOT NULL CHECK (state IN ('proposed', 'posted', 'rejected')),
  proposed_by text NOT NULL,
  proposed_at timestamptz NOT NULL,
  resolved_by text,
  resolved_at timestamptz,
  CHECK ((state = 'rejected') <= (resolved_by IS NOT NULL)),
  CHECK (resolved_by IS DISTINCT FROM proposed_by),
  PRIMARY KEY (brand, adjustment_id)
);
CREATE INDEX adjustment_open ON adjustment (brand, adjustment_id) WHERE state = 'proposed';

-- Answers of writing requests, kept 400 days. By the month in which they were given: a look-up asks all months.
CREATE TABLE idempotency (
  brand text NOT NULL,
  key text NOT NULL,
  body_hash bytea NOT NULL,
  method text NOT NULL,
  response bytea NOT NULL,
  -- Receipt, return, hold or grant that the request made.
  cause_id uuid,
  created_at timestamptz NOT NULL,
  -- First day of created_at's month, UTC.
  month date NOT NULL,
  PRIMARY KEY (key, brand, month)
) PARTITION BY RANGE (month);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never changed: post a correction', TG_TABLE_NAME;
END $$;

-- Makes the partition of a table for a month, given by its first day, if it is not there.
CREATE FUNCTION make_month(parent text, first_day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  name text := parent || to_char(first_day, '_YYYY_MM');
BEGIN
  IF to_regclass(name) IS NOT NULL THEN RETURN; END IF;
  EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', name, parent, first_day,
    (first_day + interval '1 month')::date);
  IF parent = 'posting' THEN
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
  END IF;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON posting
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What postings of detached months came to: the books begin with it.
CREATE TABLE opening (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  currency text NOT NULL,
  -- Of the last posting that it holds.
  version bigint NOT NULL,
  entry_accounts ledger_account[] NOT NULL,
  entry_amounts bigint[] NOT NULL,
  PRIMARY KEY (brand, member_id, currency)
);
CREATE TABLE opening_lot (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  currency text NOT NULL,
  lot_id uuid NOT NULL,
  available bigint NOT NULL,
  pending bigint NOT NULL,
  held bigint NOT NULL,
  PRIMARY KEY (brand, member_id, currency, lot_id)
);
CREATE TABLE detached_month (
  parent text NOT NULL CHECK (parent IN ('posting', 'receipt', 'idempotency')),
  month date NOT NULL,
  detached_at timestamptz NOT NULL,
  PRIMARY KEY (parent, month)
);

-- For whoever reads the books: postings taken apart.
CREATE VIEW entry AS
  SELECT p.brand, p.member_id, p.currency, p.version, e.account, e.amount
  FROM posting p CROSS JOIN LATERAL unnest(p.entry_accounts, p.entry_amounts) e (account, amount);
CREATE VIEW allocation AS
  SELECT p.brand, p.member_id, p.currency, p.version, a.lot_id, a.purpose, a.available, a.pending, a.held
  FROM posting p
  CROSS JOIN LATERAL unnest(p.lot_ids, p.lot_purposes, p.lot_available, p.lot_pending, p.lot_held)
    a (lot_id, purpose, available, pending, held);
CREATE VIEW receipt_line AS
  SELECT r.brand, r.receipt_id, l.line_index, l.quantity, l.amount_minor, l.paid, l.earned, l.returned, l.sku,
    l.category
  FROM receipt r
  CROSS JOIN LATERAL unnest(r.line_indexes, r.line_quantities, r.line_amounts, r.line_paid, r.line_earned,
    r.line_returned, r.line_skus, r.line_categories)
    l (line_index, quantity, amount_minor, paid, earned, returned, sku, category)
  WHERE r.kind = 'sale';
CREATE VIEW return_line AS
  SELECT r.brand, r.receipt_id, r.original_receipt_id, l.line_index, l.quantity
  FROM receipt r CROSS JOIN LATERAL unnest(r.line_indexes, r.line_quantities) l (line_index, quantity)
  WHERE r.kind = 'return';
