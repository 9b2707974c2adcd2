CREATE TABLE subscription_plan (
  brand text NOT NULL,
  plan_id text NOT NULL,
  version integer NOT NULL CHECK (version >= 1),
  -- stampede.ledger.v1.SubscriptionPlan.
  message bytea NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (brand, plan_id, version)
);

-- A member's membership of a plan, also after it was cancelled and begun again.
CREATE TABLE subscription (
  brand text NOT NULL,
  subscription_id uuid NOT NULL,
  member_id uuid NOT NULL,
  plan_id text NOT NULL,
  started_at timestamptz NOT NULL,
  cancelled_at timestamptz,
  -- Counts changes, for events.
  version bigint NOT NULL CHECK (version >= 1),
  PRIMARY KEY (subscription_id, brand)
);
CREATE UNIQUE INDEX subscription_member ON subscription (member_id, brand, plan_id);

CREATE TABLE subscription_term (
  brand text NOT NULL,
  subscription_id uuid NOT NULL,
  member_id uuid NOT NULL,
  -- From 1.
  number integer NOT NULL CHECK (number >= 1),
  is_trial boolean NOT NULL,
  -- The instant whose day of the month its end steps from, and how many terms after it that is.
  anchor_at timestamptz NOT NULL,
  steps integer NOT NULL,
  from_at timestamptz NOT NULL,
  until_at timestamptz NOT NULL,
  -- First instant without benefits, as long as no further term follows.
  benefits_until timestamptz NOT NULL,
  tags text[] NOT NULL,
  tender text NOT NULL,
  price_minor bigint NOT NULL CHECK (price_minor >= 0),
  -- Of the price: what is earned by the days that are over, and what was given back.
  revenue_minor bigint NOT NULL DEFAULT 0,
  refund_minor bigint NOT NULL DEFAULT 0,
  -- When the next day is over; NULL when all is earned or given back.
  earns_at timestamptz,
  CHECK (from_at < until_at AND benefits_until >= from_at),
  CHECK (is_trial = (price_minor = 0)),
  CHECK (revenue_minor >= 0 AND refund_minor >= 0 AND revenue_minor + refund_minor <= price_minor),
  CHECK (earns_at IS NOT NULL OR revenue_minor + refund_minor = price_minor),
  PRIMARY KEY (subscription_id, brand, number)
);
CREATE INDEX subscription_term_member ON subscription_term (member_id, brand, benefits_until);
CREATE INDEX subscription_term_due ON subscription_term (earns_at) WHERE earns_at IS NOT NULL;
