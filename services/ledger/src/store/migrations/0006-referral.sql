-- What is owed to one party is found without reading all of the money books.
CREATE INDEX money_posting_payable ON money_posting USING gin (entry_parties) WHERE 'payable' = ANY (entry_accounts);

CREATE TABLE referral_programme (
  brand text NOT NULL,
  version integer NOT NULL CHECK (version >= 1),
  -- stampede.ledger.v1.ReferralProgramme.
  message bytea NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (brand, version)
);

CREATE TABLE referral_code (
  brand text NOT NULL,
  code text NOT NULL,
  member_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (brand, code)
);
CREATE UNIQUE INDEX referral_code_member ON referral_code (member_id, brand);

CREATE TABLE referral_touch (
  brand text NOT NULL,
  visitor text NOT NULL,
  touched_at timestamptz NOT NULL,
  advocate_id uuid NOT NULL,
  PRIMARY KEY (brand, visitor, touched_at, advocate_id)
);
CREATE INDEX referral_touch_old ON referral_touch (touched_at);

-- What tells that two members are one person; keyed hashes, made elsewhere.
CREATE TABLE member_fingerprint (
  brand text NOT NULL,
  hash text NOT NULL,
  kind text NOT NULL,
  member_id uuid NOT NULL,
  recorded_at timestamptz NOT NULL,
  PRIMARY KEY (hash, kind, brand, member_id)
);
CREATE INDEX member_fingerprint_member ON member_fingerprint (member_id, brand);

CREATE TABLE referral (
  brand text NOT NULL,
  referral_id uuid NOT NULL,
  advocate_id uuid NOT NULL,
  referee_id uuid NOT NULL,
  -- Of the referral programme.
  version integer NOT NULL,
  attributed_at timestamptz NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'qualified', 'cancelled', 'expired')),
  review text NOT NULL CHECK (review IN ('none', 'waiting', 'approved', 'rejected')),
  review_reasons text[] NOT NULL,
  reviewed_by text,
  -- The purchase, when it was made, and when its return window ends.
  receipt_id uuid,
  purchased_at timestamptz,
  window_ends_at timestamptz,
  CHECK (advocate_id <> referee_id),
  CHECK (state <> 'qualified' OR receipt_id IS NOT NULL),
  CHECK ((receipt_id IS NULL) = (purchased_at IS NULL) AND (receipt_id IS NULL) = (window_ends_at IS NULL)),
  PRIMARY KEY (referral_id, brand)
);
-- One referral of a referee, ever.
CREATE UNIQUE INDEX referral_referee ON referral (referee_id, brand);
CREATE INDEX referral_advocate ON referral (advocate_id, brand, referral_id);
CREATE INDEX referral_waiting ON referral (brand, referral_id) WHERE review = 'waiting';

-- What a side gets. Points are granted at once and are pending, the others are given at issue_at.
CREATE TABLE referral_reward (
  brand text NOT NULL,
  reward_id uuid NOT NULL,
  -- Of the referral; NULL for a month's share.
  referral_id uuid,
  member_id uuid NOT NULL,
  side text NOT NULL CHECK (side IN ('advocate', 'referee', 'welcome', 'month')),
  kind text NOT NULL CHECK (kind IN ('points', 'coupon', 'cash')),
  -- Points, or minor units of money; 0 for a coupon.
  amount bigint NOT NULL CHECK (amount >= 0),
  campaign_id text NOT NULL,
  live_days integer NOT NULL,
  -- NULL: not yet. A coupon has its id then.
  issued_at timestamptz,
  coupon_id uuid,
  occurred_at timestamptz NOT NULL,
  -- When the return window ends.
  active_at timestamptz NOT NULL,
  -- When there is something to do.
  issue_at timestamptz NOT NULL,
  state text NOT NULL
    CHECK (state IN ('held', 'planned', 'issued', 'capped', 'refused', 'revoking', 'revoked')),
  CHECK ((kind = 'coupon') = (campaign_id <> '')),
  CHECK ((side = 'month') = (referral_id IS NULL)),
  PRIMARY KEY (reward_id, brand)
);
CREATE UNIQUE INDEX referral_reward_side ON referral_reward (referral_id, brand, side) WHERE referral_id IS NOT NULL;
CREATE INDEX referral_reward_due ON referral_reward (issue_at) WHERE state IN ('planned', 'revoking');
CREATE INDEX referral_reward_advocate ON referral_reward (member_id, brand, occurred_at) WHERE side = 'advocate';

-- Net money that an advocate's referees spent in a month, and what came of it once it is closed.
CREATE TABLE referral_month (
  brand text NOT NULL,
  advocate_id uuid NOT NULL,
  month date NOT NULL,
  net_minor bigint NOT NULL,
  -- When what came of it is settled.
  closes_at timestamptz NOT NULL,
  -- What the months before left below zero.
  carry_minor bigint NOT NULL DEFAULT 0 CHECK (carry_minor <= 0),
  -- Of the referral programme, when it was closed.
  version integer,
  reward_minor bigint CHECK (reward_minor >= 0),
  closed_at timestamptz,
  CHECK ((closed_at IS NULL) = (reward_minor IS NULL)),
  PRIMARY KEY (advocate_id, brand, month)
);
CREATE INDEX referral_month_open ON referral_month (closes_at) WHERE closed_at IS NULL;

-- What of a referee's sale is counted so far.
CREATE TABLE referral_spend (
  brand text NOT NULL,
  -- The sale.
  receipt_id uuid NOT NULL,
  advocate_id uuid NOT NULL,
  counted_minor bigint NOT NULL CHECK (counted_minor >= 0),
  PRIMARY KEY (receipt_id, brand)
);
