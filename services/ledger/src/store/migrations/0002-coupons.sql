CREATE TABLE coupon_campaign (
  brand text NOT NULL,
  campaign_id text NOT NULL,
  version integer NOT NULL CHECK (version >= 1),
  -- stampede.ledger.v1.CouponCampaign.
  message bytea NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (brand, campaign_id, version)
);

-- What a campaign has cost, reservations included. Scope is empty for all of it, `store/YYYY-MM-DD` for a store's day. The
-- last row that a transaction locks: everybody of a campaign meets here.
CREATE TABLE coupon_budget (
  brand text NOT NULL,
  campaign_id text NOT NULL,
  scope text NOT NULL,
  uses bigint NOT NULL CHECK (uses >= 0),
  money_minor bigint NOT NULL CHECK (money_minor >= 0),
  PRIMARY KEY (brand, campaign_id, scope)
) WITH (fillfactor = 50);

CREATE TABLE coupon (
  brand text NOT NULL,
  code text NOT NULL,
  coupon_id uuid NOT NULL,
  campaign_id text NOT NULL,
  member_id uuid,
  state text NOT NULL CHECK (state IN ('generated', 'assigned', 'partly_redeemed', 'redeemed', 'voided')),
  uses bigint NOT NULL CHECK (uses >= 0),
  -- NULL: as long as the campaign.
  valid_until timestamptz,
  -- Valid up to then in any case: a use was undone. NULL for nothing of that.
  grace_until timestamptz,
  -- A reservation: basket, deadline, and what it took of the budget. Empty for none.
  locked_by text NOT NULL DEFAULT '',
  locked_until timestamptz,
  locked_money_minor bigint NOT NULL DEFAULT 0,
  locked_scope text NOT NULL DEFAULT '',
  -- Counts changes, for events.
  version bigint NOT NULL DEFAULT 1,
  issued_at timestamptz NOT NULL,
  CHECK ((locked_by = '') = (locked_until IS NULL)),
  PRIMARY KEY (brand, code)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX coupon_id ON coupon (coupon_id, brand);
CREATE INDEX coupon_locked ON coupon (locked_until) WHERE locked_until IS NOT NULL;
CREATE INDEX coupon_member ON coupon (member_id, brand, coupon_id) WHERE member_id IS NOT NULL;

-- One row per use.
CREATE TABLE coupon_use (
  brand text NOT NULL,
  coupon_id uuid NOT NULL,
  reference text NOT NULL,
  campaign_id text NOT NULL,
  member_id uuid,
  store_id text NOT NULL,
  money_minor bigint NOT NULL CHECK (money_minor >= 0),
  scope text NOT NULL,
  used_at timestamptz NOT NULL,
  rolled_back_at timestamptz,
  PRIMARY KEY (coupon_id, brand, reference)
);
CREATE INDEX coupon_use_reference ON coupon_use (reference, brand) WHERE rolled_back_at IS NULL;
CREATE INDEX coupon_use_member ON coupon_use (member_id, campaign_id, brand)
  WHERE member_id IS NOT NULL AND rolled_back_at IS NULL;
