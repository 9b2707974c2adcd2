CREATE TABLE brand (
  brand text PRIMARY KEY,
  name text NOT NULL,
  time_zone text NOT NULL,
  currency text NOT NULL,
  -- Two brands under one pass type would push to each other's cards.
  pass_type_id text NOT NULL UNIQUE,
  team_id text NOT NULL,
  google_issuer_id text NOT NULL,
  weight integer NOT NULL,
  max_bulk_per_second integer NOT NULL,
  contact text NOT NULL,
  -- 32 random bytes under the master key; index, card and body keys are derived from them.
  wrapped_secret bytea NOT NULL,
  card_prefix text NOT NULL,
  created_at timestamptz NOT NULL
);

-- Apart from brand: each enrolment moves it.
CREATE TABLE card_counter (
  brand text PRIMARY KEY REFERENCES brand,
  next bigint NOT NULL
);

CREATE TABLE api_key (
  key_id uuid PRIMARY KEY,
  brand text NOT NULL REFERENCES brand,
  role text NOT NULL,
  label text NOT NULL,
  key_sha256 text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL,
  revoked_at timestamptz
);

-- Writing requests of the past 400 days. The scope is a brand, or empty for requests above brands.
CREATE TABLE request (
  scope text NOT NULL,
  operation text NOT NULL,
  idempotency_key text NOT NULL,
  body_hash bytea NOT NULL,
  result_id text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (scope, operation, idempotency_key)
);
CREATE INDEX request_created_at ON request (created_at);

CREATE TABLE member (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  -- Position in the brand's order of enrolment; also the counter behind the first card number.
  seq bigint NOT NULL,
  version bigint NOT NULL,
  card_number text NOT NULL,
  status text NOT NULL,
  locale text NOT NULL,
  marketing_consent boolean NOT NULL,
  store_id text NOT NULL,
  enrolled_at timestamptz NOT NULL,
  key_version integer NOT NULL,
  -- Reference, names, e-mail and phone under the member's key.
  personal bytea NOT NULL,
  PRIMARY KEY (brand, member_id)
) PARTITION BY HASH (member_id);
CREATE INDEX member_seq ON member (brand, seq);

-- A table of its own, with a backup retention of its own: deleting the rows is what erases a member.
CREATE TABLE member_key (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  key_version integer NOT NULL,
  wrapped bytea NOT NULL,
  PRIMARY KEY (brand, member_id, key_version)
) PARTITION BY HASH (member_id);

DO $$
BEGIN
  FOR part IN 0..7 LOOP
    EXECUTE format('CREATE TABLE member_%s PARTITION OF member FOR VALUES WITH (MODULUS 8, REMAINDER %s)', part, part);
    EXECUTE format('CREATE TABLE member_key_%s PARTITION OF member_key FOR VALUES WITH (MODULUS 8, REMAINDER %s)', part, part);
  END LOOP;
END $$;

-- A member may come to have several cards.
CREATE TABLE card (
  brand text NOT NULL,
  card_number text NOT NULL,
  member_id uuid NOT NULL,
  issued_at timestamptz NOT NULL,
  PRIMARY KEY (brand, card_number)
);

-- Keyed hashes of references, e-mail addresses and phone numbers: each at one member of a brand at most.
CREATE TABLE member_index (
  brand text NOT NULL,
  kind text NOT NULL,
  value bytea NOT NULL,
  member_id uuid NOT NULL,
  PRIMARY KEY (brand, kind, value)
);
