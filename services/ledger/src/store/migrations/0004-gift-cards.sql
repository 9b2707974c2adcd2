-- A brand's books in money: transactions whose entries sum to zero. Parties are kinds of tender and ids of gift cards.
CREATE TABLE money_posting (
  brand text NOT NULL,
  posting_id uuid NOT NULL,
  kind text NOT NULL,
  -- Receipt, hold or gift card.
  cause_id uuid NOT NULL,
  -- What the till calls it; may be empty.
  reference text NOT NULL,
  occurred_at timestamptz NOT NULL,
  posted_at timestamptz NOT NULL,
  entry_accounts text[] NOT NULL,
  entry_parties text[] NOT NULL,
  entry_amounts bigint[] NOT NULL,
  CHECK (cardinality(entry_accounts) = cardinality(entry_parties)
    AND cardinality(entry_accounts) = cardinality(entry_amounts)),
  CHECK (sum_of(entry_amounts) = 0),
  PRIMARY KEY (posting_id, brand)
);
CREATE INDEX money_posting_cause ON money_posting (cause_id, brand);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON money_posting
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE VIEW money_entry AS
  SELECT p.brand, p.posting_id, p.kind, p.cause_id, p.occurred_at, e.account, e.party, e.amount
  FROM money_posting p
  CROSS JOIN LATERAL unnest(p.entry_accounts, p.entry_parties, p.entry_amounts) e (account, party, amount);

CREATE TABLE gift_card (
  brand text NOT NULL,
  card_id uuid NOT NULL,
  code text NOT NULL,
  -- Six digits beside the code, and as secret as it; empty for none.
  pin text NOT NULL,
  batch_id text NOT NULL,
  value_minor bigint NOT NULL CHECK (value_minor > 0),
  state text NOT NULL CHECK (state IN ('issued', 'active', 'blocked', 'expired', 'refunded')),
  -- What open holds hold included.
  balance_minor bigint NOT NULL CHECK (balance_minor >= 0),
  is_sold boolean NOT NULL,
  is_used boolean NOT NULL,
  -- NULL: never, or not sold yet.
  expires_at timestamptz,
  replaced_by uuid,
  -- Why it was blocked.
  reason text NOT NULL,
  -- Counts changes, for events.
  version bigint NOT NULL,
  issued_at timestamptz NOT NULL,
  CHECK (is_sold OR balance_minor = 0),
  CHECK (replaced_by IS NULL OR (state = 'blocked' AND balance_minor = 0)),
  PRIMARY KEY (card_id, brand)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX gift_card_code ON gift_card (code, brand);
CREATE INDEX gift_card_batch ON gift_card (batch_id, brand, card_id);
CREATE INDEX gift_card_due ON gift_card (expires_at) WHERE state = 'active';

CREATE TABLE gift_card_hold (
  brand text NOT NULL,
  hold_id uuid NOT NULL,
  card_id uuid NOT NULL,
  reference text NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'committed', 'cancelled', 'expired')),
  committed_minor bigint NOT NULL CHECK (committed_minor BETWEEN 0 AND amount_minor),
  returned_minor bigint NOT NULL CHECK (returned_minor BETWEEN 0 AND committed_minor),
  -- That captured it, and gives back what is returned.
  receipt_id uuid,
  CHECK (state = 'committed' OR committed_minor = 0),
  CHECK (receipt_id IS NULL OR returned_minor = 0),
  PRIMARY KEY (hold_id, brand)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX gift_card_hold_open ON gift_card_hold (card_id, brand, reference) WHERE state = 'open';
CREATE INDEX gift_card_hold_due ON gift_card_hold (expires_at) WHERE state = 'open';

-- What a card paid of a sale, and of which lines.
CREATE TABLE gift_card_payment (
  brand text NOT NULL,
  receipt_id uuid NOT NULL,
  -- In the order of the request, from 0.
  position integer NOT NULL,
  card_id uuid NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  line_parts bigint[] NOT NULL,
  returned_minor bigint NOT NULL CHECK (returned_minor BETWEEN 0 AND amount_minor),
  -- What paid for the rest of the sale.
  tender text NOT NULL,
  CHECK (sum_of(line_parts) = amount_minor),
  PRIMARY KEY (receipt_id, brand, position)
) WITH (fillfactor = 80);
