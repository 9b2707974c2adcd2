CREATE TABLE campaign (
  brand text NOT NULL,
  campaign_id uuid NOT NULL,
  name text NOT NULL,
  status text NOT NULL CHECK (status IN ('draft', 'running', 'paused', 'aborted', 'done')),
  segments text[] NOT NULL,
  -- JSON list of {locale, text}.
  texts jsonb NOT NULL,
  max_per_second integer NOT NULL CHECK (max_per_second >= 0),
  -- Given at the start; grows with every started campaign of the brand.
  campaign_seq bigint,
  -- Passes of the segments, and those held back when the audience was frozen.
  audience bigint NOT NULL DEFAULT 0,
  excluded bigint NOT NULL DEFAULT 0,
  -- The rate: no chunk is released before.
  next_release_at timestamptz,
  version bigint NOT NULL DEFAULT 1,
  create_key text NOT NULL,
  create_hash bytea NOT NULL,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  finished_at timestamptz,
  PRIMARY KEY (brand, campaign_id),
  UNIQUE (brand, create_key)
) WITH (fillfactor = 80);
CREATE INDEX campaign_running ON campaign (brand, campaign_id) WHERE status = 'running';

-- Calls that changed a campaign, so that a late repeat changes nothing.
CREATE TABLE campaign_action (
  brand text NOT NULL,
  key text NOT NULL,
  campaign_id uuid NOT NULL,
  action text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (brand, key)
);

CREATE TABLE brand_sequence (
  brand text PRIMARY KEY,
  campaign_seq bigint NOT NULL
);

-- A row of the frozen audience: the unit of work, and the checkpoint of a killed leader.
CREATE TABLE chunk (
  brand text NOT NULL,
  campaign_id uuid NOT NULL,
  chunk_index integer NOT NULL,
  base bigint NOT NULL,
  bitmap bytea NOT NULL,
  passes integer NOT NULL,
  released_at timestamptz,
  -- NULL until the first result says how many parts there are.
  parts integer,
  parts_done integer NOT NULL DEFAULT 0,
  completed_at timestamptz,
  recipients bigint NOT NULL DEFAULT 0,
  accepted bigint NOT NULL DEFAULT 0,
  failed bigint NOT NULL DEFAULT 0,
  aborted bigint NOT NULL DEFAULT 0,
  duplicates bigint NOT NULL DEFAULT 0,
  last_accepted_at timestamptz,
  -- Passes of the row that were fetched with this campaign's message.
  fetched bytea NOT NULL,
  fetched_count bigint NOT NULL DEFAULT 0,
  fetched_within_60s bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (brand, campaign_id, chunk_index)
) WITH (fillfactor = 70);
CREATE INDEX chunk_waiting ON chunk (brand, campaign_id, chunk_index) WHERE released_at IS NULL;

-- A result counts once: a chunk of pushes that was delivered again finds its row.
CREATE TABLE chunk_part (
  brand text NOT NULL,
  campaign_id uuid NOT NULL,
  chunk_index integer NOT NULL,
  part integer NOT NULL,
  -- Reason -> pushes.
  reasons jsonb NOT NULL,
  -- When each pass was accepted, in columns of equal length.
  pass_no bigint[] NOT NULL,
  accepted_at_ms bigint[] NOT NULL,
  PRIMARY KEY (brand, campaign_id, chunk_index, part)
);

-- What consent and blocking looked like when an audience is frozen: projections of member and pass events.
CREATE TABLE member (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  version bigint NOT NULL,
  reachable boolean NOT NULL,
  PRIMARY KEY (brand, member_id)
);
CREATE TABLE pass (
  brand text NOT NULL,
  no bigint NOT NULL,
  member_id uuid NOT NULL,
  PRIMARY KEY (brand, no)
);
CREATE INDEX member_unreachable ON member (brand, member_id) WHERE NOT reachable;
CREATE INDEX pass_by_member ON pass (brand, member_id);
