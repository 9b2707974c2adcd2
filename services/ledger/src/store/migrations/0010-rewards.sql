CREATE TABLE reward (
  brand text NOT NULL,
  reward_id text NOT NULL,
  version integer NOT NULL CHECK (version >= 1),
  -- stampede.ledger.v1.Reward.
  message bytea NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (brand, reward_id, version)
);

-- Pieces of a reward. The last row that a transaction locks: everybody who orders it meets here.
CREATE TABLE reward_stock (
  brand text NOT NULL,
  reward_id text NOT NULL,
  -- NULL: there are always enough.
  free bigint CHECK (free >= 0),
  reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  delivered bigint NOT NULL DEFAULT 0 CHECK (delivered >= 0),
  PRIMARY KEY (brand, reward_id)
) WITH (fillfactor = 50);

CREATE TABLE reward_order (
  brand text NOT NULL,
  order_id uuid NOT NULL,
  member_id uuid NOT NULL,
  reward_id text NOT NULL,
  reward_version integer NOT NULL,
  quantity integer NOT NULL CHECK (quantity > 0),
  cancelled integer NOT NULL CHECK (cancelled BETWEEN 0 AND quantity),
  points bigint NOT NULL CHECK (points > 0),
  surcharge_minor bigint NOT NULL CHECK (surcharge_minor >= 0),
  state text NOT NULL CHECK (state IN ('placed', 'fulfilled', 'cancelled')),
  placed_at timestamptz NOT NULL,
  cancel_until timestamptz NOT NULL,
  -- What paid for it, in the order of consumption.
  spend_lots uuid[] NOT NULL,
  spend_points bigint[] NOT NULL,
  -- Counts changes, for events.
  version bigint NOT NULL DEFAULT 1,
  CHECK ((state = 'cancelled') = (cancelled = quantity)),
  CHECK (sum_of(spend_points) = points),
  PRIMARY KEY (order_id, brand)
) WITH (fillfactor = 80);
CREATE INDEX reward_order_member ON reward_order (member_id, brand, order_id);

-- Codes of vouchers; NULL: free.
CREATE TABLE reward_code (
  brand text NOT NULL,
  reward_id text NOT NULL,
  code text NOT NULL,
  order_id uuid,
  PRIMARY KEY (brand, reward_id, code)
) WITH (fillfactor = 80);
CREATE INDEX reward_code_free ON reward_code (reward_id, brand) WHERE order_id IS NULL;
CREATE INDEX reward_code_order ON reward_code (order_id, brand) WHERE order_id IS NOT NULL;
