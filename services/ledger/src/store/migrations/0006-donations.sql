-- A hold of a donation: at its deadline it is not given back but donated, and nothing else can use it.
ALTER TABLE hold ADD COLUMN is_donation boolean NOT NULL DEFAULT false;

CREATE TABLE donation_programme (
  brand text NOT NULL,
  version integer NOT NULL CHECK (version >= 1),
  -- stampede.ledger.v1.DonationProgramme.
  message bytea NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (brand, version)
);

CREATE TABLE donation (
  brand text NOT NULL,
  -- Of its hold, too.
  donation_id uuid NOT NULL,
  member_id uuid NOT NULL,
  fund_id text NOT NULL,
  version integer NOT NULL,
  points bigint NOT NULL CHECK (points > 0),
  money_minor bigint NOT NULL CHECK (money_minor >= 0),
  match_minor bigint NOT NULL CHECK (match_minor >= 0),
  donated_at timestamptz NOT NULL,
  undo_until timestamptz NOT NULL,
  -- What of the hold is booked: nothing yet, the fund's money, or that it was undone.
  state text NOT NULL CHECK (state IN ('open', 'donated', 'undone')),
  PRIMARY KEY (donation_id, brand)
);
CREATE INDEX donation_due ON donation (undo_until) WHERE state = 'open';
CREATE INDEX donation_member ON donation (member_id, brand, donation_id);
CREATE INDEX donation_fund ON donation (brand, fund_id) WHERE state = 'donated';

-- What of a sale a fund gets from the brand, as it is booked.
CREATE TABLE donation_share (
  brand text NOT NULL,
  receipt_id uuid NOT NULL,
  fund_id text NOT NULL,
  basis_points bigint NOT NULL,
  booked_minor bigint NOT NULL CHECK (booked_minor >= 0),
  PRIMARY KEY (receipt_id, brand)
) WITH (fillfactor = 90);
