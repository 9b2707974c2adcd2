CREATE TABLE store (
  brand text NOT NULL,
  store_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  latitude double precision NOT NULL,
  longitude double precision NOT NULL,
  address text NOT NULL,
  relevant_text text NOT NULL,
  -- [{proximityUuid, major?, minor?}]
  beacons jsonb NOT NULL,
  PRIMARY KEY (brand, store_id)
);

-- Grows with each change of a brand's stores. Who computes places from the stores holds it shared, who changes
-- stores holds it exclusively, so that no member is computed from old stores after the recomputation has passed.
CREATE TABLE store_revision (
  brand text PRIMARY KEY,
  revision bigint NOT NULL DEFAULT 0,
  -- Revision up to which home_list is up to date.
  planned bigint NOT NULL DEFAULT 0
);

-- The list of each own store, as last planned, and whether its members are still to be brought up to it.
CREATE TABLE home_list (
  brand text NOT NULL,
  store_id text COLLATE "C" NOT NULL,
  digest text NOT NULL,
  is_new boolean NOT NULL,
  pending boolean NOT NULL,
  PRIMARY KEY (brand, store_id)
);
CREATE INDEX home_list_pending ON home_list (brand, store_id) WHERE pending;

CREATE TABLE member (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  -- Version of the member event that was applied last; 0 while only receipts are known.
  member_version bigint NOT NULL DEFAULT 0,
  enrolled_store text COLLATE "C" NOT NULL DEFAULT '',
  erased boolean NOT NULL DEFAULT false,
  home_store text COLLATE "C",
  -- Digest of the published places; empty before the first.
  digest text NOT NULL DEFAULT '',
  version bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (brand, member_id)
) PARTITION BY HASH (member_id);
CREATE INDEX member_home_store ON member (brand, home_store, member_id);
CREATE INDEX member_enrolled_store ON member (brand, enrolled_store, member_id);

CREATE TABLE visit (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  store_id text COLLATE "C" NOT NULL,
  visits bigint NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (brand, member_id, store_id)
) PARTITION BY HASH (member_id);
CREATE INDEX visit_store ON visit (brand, store_id, member_id);

DO $$
BEGIN
  FOR part IN 0..7 LOOP
    EXECUTE format('CREATE TABLE member_%s PARTITION OF member FOR VALUES WITH (MODULUS 8, REMAINDER %s)', part, part);
    EXECUTE format('CREATE TABLE visit_%s PARTITION OF visit FOR VALUES WITH (MODULUS 8, REMAINDER %s)', part, part);
  END LOOP;
END $$;

-- PutStores of the past 400 days.
CREATE TABLE request (
  brand text NOT NULL,
  idempotency_key text NOT NULL,
  body_hash bytea NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (brand, idempotency_key)
);
CREATE INDEX request_created_at ON request (brand, created_at);
