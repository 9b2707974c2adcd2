-- Every key begins with the brand, so that the large tables can be partitioned by a hash of it.

-- One row per brand: the dense numbering of its passes and the version of what all its cards share.
CREATE TABLE brand_state (
  brand text PRIMARY KEY,
  next_no bigint NOT NULL DEFAULT 0,
  template_version int NOT NULL DEFAULT 0,
  -- Grows with each new template and with each change of what cards show of the brand itself.
  design_version bigint NOT NULL DEFAULT 0,
  design_changed_at timestamptz NOT NULL,
  -- Digest of the brand's name, contact and identifiers as the present design version shows them.
  brand_digest text NOT NULL DEFAULT ''
);

CREATE TABLE template (
  brand text NOT NULL,
  version int NOT NULL,
  -- stampede.passes.v1.Template, images included.
  body bytea NOT NULL,
  idempotency_key text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (brand, version),
  UNIQUE (brand, idempotency_key)
);

-- A new design version on its way to the brand's devices, in the order of their ids.
CREATE TABLE rollout (
  brand text NOT NULL,
  design_version bigint NOT NULL,
  after_device text NOT NULL DEFAULT '',
  parts int NOT NULL DEFAULT 0,
  devices_done boolean NOT NULL DEFAULT false,
  -- Next pass whose Google object is written anew; null when none is.
  next_google_no bigint,
  PRIMARY KEY (brand)
);

-- An account's row may come before its pass: it is also the lock of the member's projection.
CREATE TABLE account_state (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  version bigint NOT NULL DEFAULT 0,
  available bigint NOT NULL DEFAULT 0,
  next_expiry_at timestamptz,
  next_expiry_points bigint NOT NULL DEFAULT 0,
  currency text NOT NULL DEFAULT '',
  PRIMARY KEY (brand, member_id)
);

CREATE TABLE relevance_state (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  version bigint NOT NULL,
  -- stampede.events.v1.RelevanceState
  state bytea NOT NULL,
  PRIMARY KEY (brand, member_id)
);

CREATE TABLE pass (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  no bigint NOT NULL,
  serial uuid NOT NULL,
  -- Encrypted under the service's master key; never changes, or copies that missed an update would be locked out.
  auth_token bytea NOT NULL,
  -- Grows with each change that the phone would show.
  version bigint NOT NULL,
  changed_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  member_version bigint NOT NULL,
  status text NOT NULL,
  marketing_consent boolean NOT NULL,
  locale text NOT NULL,
  card_number text NOT NULL,
  -- stampede.events.v1.Sealed; null without a name.
  sealed_name bytea,
  -- Version of the pass.<brand>.pass event.
  event_version bigint NOT NULL,
  devices int NOT NULL DEFAULT 0,
  PRIMARY KEY (brand, member_id),
  UNIQUE (brand, no),
  UNIQUE (brand, serial)
);

CREATE TABLE device (
  brand text NOT NULL,
  device_library_id text NOT NULL,
  push_token bytea NOT NULL,
  -- Last time the phone itself named this token.
  confirmed_at timestamptz NOT NULL,
  PRIMARY KEY (brand, device_library_id)
);

CREATE TABLE registration (
  brand text NOT NULL,
  no bigint NOT NULL,
  device_library_id text NOT NULL,
  registered_at timestamptz NOT NULL,
  PRIMARY KEY (brand, no, device_library_id)
);
CREATE INDEX registration_by_device ON registration (brand, device_library_id);

CREATE TABLE campaign (
  brand text NOT NULL,
  campaign_id text NOT NULL,
  campaign_seq bigint NOT NULL,
  -- stampede.events.v1.CampaignMessage
  message bytea NOT NULL,
  PRIMARY KEY (brand, campaign_id)
);

-- One row per released chunk: who of 8,192 passes carries the campaign. Small enough to stay out of TOAST.
CREATE TABLE bump (
  brand text NOT NULL,
  base bigint NOT NULL,
  campaign_seq bigint NOT NULL,
  campaign_id text NOT NULL,
  chunk_index int NOT NULL,
  bitmap bytea NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (brand, base, campaign_seq)
);
