-- Many templates per brand, cards of customers that live elsewhere, and one order of messages whoever sends them.

-- Whom a pass belongs to: the member of enrollment, or an id of our own for a card-only pass.
ALTER TABLE pass RENAME COLUMN member_id TO owner_id;
ALTER TABLE account_state RENAME COLUMN member_id TO owner_id;
ALTER TABLE relevance_state RENAME COLUMN member_id TO owner_id;

ALTER TABLE pass
  -- member, card (cards-only mode), coupon (anonymous, by a channel link).
  ADD COLUMN kind text NOT NULL DEFAULT 'member',
  ADD COLUMN template_id text NOT NULL DEFAULT 'card',
  -- stampede.passes.v1.CardDetails and the version that its source gave it.
  ADD COLUMN details bytea,
  ADD COLUMN details_version bigint NOT NULL DEFAULT 0,
  -- stampede.events.v1.CampaignMessage of the card's own; it wins over messages up to own_message_seq.
  ADD COLUMN own_message bytea,
  ADD COLUMN own_message_seq bigint NOT NULL DEFAULT 0,
  ADD COLUMN own_message_at timestamptz;
CREATE UNIQUE INDEX pass_by_own_card_number ON pass (brand, card_number) WHERE kind <> 'member';

ALTER TABLE template ADD COLUMN template_id text NOT NULL DEFAULT 'card';
ALTER TABLE template DROP CONSTRAINT template_pkey;
ALTER TABLE template ADD PRIMARY KEY (brand, template_id, version);

-- What the cards of a template show. A seq is taken from brand_state.design_version at each change of what some of
-- them show, so that the one of a card only grows.
CREATE TABLE template_state (
  brand text NOT NULL,
  template_id text NOT NULL,
  newest_version int NOT NULL DEFAULT 0,
  stable_version int NOT NULL DEFAULT 0,
  stable_seq bigint NOT NULL DEFAULT 0,
  -- Shown by the cards whose bucket (0 to 999, of their number) is below canary_permille.
  canary_version int NOT NULL DEFAULT 0,
  canary_seq bigint NOT NULL DEFAULT 0,
  canary_permille int NOT NULL DEFAULT 0,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (brand, template_id)
);
INSERT INTO template_state (brand, template_id, newest_version, stable_version, stable_seq, changed_at)
  SELECT brand, 'card', template_version, template_version, design_version, design_changed_at
  FROM brand_state WHERE template_version > 0;

ALTER TABLE brand_state
  DROP COLUMN template_version,
  DROP COLUMN design_changed_at,
  ADD COLUMN message_seq bigint NOT NULL DEFAULT 0,
  ADD COLUMN rules_version int NOT NULL DEFAULT 0;

-- A design on its way to the cards of a template; an empty template_id stands for all of them.
ALTER TABLE rollout ADD COLUMN template_id text NOT NULL DEFAULT '';
ALTER TABLE rollout DROP CONSTRAINT rollout_pkey;
ALTER TABLE rollout ADD PRIMARY KEY (brand, template_id);

-- Rules that pick templates, by version; the newest is in force.
CREATE TABLE template_rules (
  brand text NOT NULL,
  version int NOT NULL,
  -- stampede.passes.v1.PutTemplateRulesRequest
  body bytea NOT NULL,
  idempotency_key text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (brand, version),
  UNIQUE (brand, idempotency_key)
);

-- Messages to many cards, of campaigns and of MessageCards. The highest rank that holds a pass decides what it shows: a
-- campaign's is its sequence at campaigns. seq is the order in which messages came here.
ALTER TABLE campaign RENAME TO message;
ALTER TABLE message RENAME COLUMN campaign_id TO message_id;
ALTER TABLE message RENAME COLUMN campaign_seq TO seq;
ALTER TABLE message RENAME COLUMN message TO body;
ALTER TABLE message ADD COLUMN source text NOT NULL DEFAULT 'campaign', ADD COLUMN rank bigint NOT NULL DEFAULT 0;
UPDATE message SET rank = seq;
ALTER TABLE bump RENAME COLUMN campaign_seq TO seq;
ALTER TABLE bump RENAME COLUMN campaign_id TO message_id;
ALTER TABLE bump ADD COLUMN rank bigint NOT NULL DEFAULT 0;
UPDATE bump SET rank = seq;
ALTER TABLE bump DROP CONSTRAINT bump_pkey;
ALTER TABLE bump ADD PRIMARY KEY (brand, base, rank, seq);
UPDATE brand_state b SET message_seq = coalesce((SELECT max(seq) FROM message m WHERE m.brand = b.brand), 0);

CREATE TABLE channel_link (
  brand text NOT NULL,
  link_id text NOT NULL,
  -- stampede.passes.v1.ChannelLink
  body bytea NOT NULL,
  issued bigint NOT NULL DEFAULT 0,
  idempotency_key text NOT NULL,
  PRIMARY KEY (brand, link_id)
);
