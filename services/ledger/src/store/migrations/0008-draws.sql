CREATE TABLE draw (
  brand text NOT NULL,
  draw_id text NOT NULL,
  -- stampede.ledger.v1.Draw.
  message bytea NOT NULL,
  begins_at timestamptz NOT NULL,
  cut_off timestamptz NOT NULL,
  burn text NOT NULL CHECK (burn IN ('all', 'entrants')),
  -- Hexadecimal; its hash was published before the beginning.
  secret text NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'closed', 'drawn')),
  list_hash text NOT NULL DEFAULT '',
  ticket_count bigint NOT NULL DEFAULT 0,
  seed text NOT NULL DEFAULT '',
  drawn_at timestamptz,
  -- When the points were burnt.
  burnt_at timestamptz,
  CHECK (begins_at < cut_off),
  CHECK ((state = 'open') = (list_hash = '')),
  CHECK ((state = 'drawn') = (seed <> '') AND (state = 'drawn') = (drawn_at IS NOT NULL)),
  PRIMARY KEY (brand, draw_id)
);
CREATE INDEX draw_due ON draw (cut_off) WHERE burnt_at IS NULL;

-- Points that a sale has earned for a draw, returns taken off.
CREATE TABLE draw_receipt (
  brand text NOT NULL,
  draw_id text NOT NULL,
  receipt_id uuid NOT NULL,
  member_id uuid NOT NULL,
  points bigint NOT NULL CHECK (points >= 0),
  PRIMARY KEY (receipt_id, brand, draw_id)
) WITH (fillfactor = 90);
CREATE INDEX draw_receipt_member ON draw_receipt (member_id, draw_id, brand);

CREATE TABLE draw_ticket (
  brand text NOT NULL,
  draw_id text NOT NULL,
  ticket_id text COLLATE "C" NOT NULL,
  member_id uuid NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'drawn', 'burnt')),
  PRIMARY KEY (draw_id, brand, ticket_id)
);
CREATE INDEX draw_ticket_member ON draw_ticket (member_id, draw_id, brand);

-- What each number of the seed came to.
CREATE TABLE draw_step (
  brand text NOT NULL,
  draw_id text NOT NULL,
  index integer NOT NULL CHECK (index >= 0),
  x text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('drawn', 'same_holder', 'biased')),
  ticket_id text NOT NULL,
  PRIMARY KEY (draw_id, brand, index)
);

CREATE TABLE draw_winner (
  brand text NOT NULL,
  draw_id text NOT NULL,
  -- From 1, alternates after the winners.
  place integer NOT NULL CHECK (place >= 1),
  ticket_id text NOT NULL,
  member_id uuid NOT NULL,
  prize_id text NOT NULL,
  value_minor bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('won', 'alternate', 'handed_over', 'passed_over')),
  until timestamptz,
  CHECK ((state = 'alternate') <= (prize_id = '')),
  CHECK ((state IN ('won', 'handed_over')) <= (prize_id <> '' AND until IS NOT NULL)),
  PRIMARY KEY (draw_id, brand, place)
);
