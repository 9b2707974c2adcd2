-- Every table that ingestion writes to has a deduplication window, and so has every target of a view: a repeated insert
-- is dropped only where the window is set. The window counts blocks and must exceed the inserts between a first try and its last retry.

CREATE TABLE IF NOT EXISTS stampede.analytics_store (id String, created_at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY created_at;

CREATE TABLE IF NOT EXISTS stampede.receipts (
  brand LowCardinality(String), member_id String CODEC(ZSTD), occurred_at DateTime64(3, 'UTC'), receipt_id String CODEC(ZSTD),
  kind LowCardinality(String), store_id LowCardinality(String), till_id LowCardinality(String), number String CODEC(ZSTD),
  total_minor Int64, points_earned Int64, points_spent Int64, line_count UInt32, original_receipt_id String CODEC(ZSTD), source LowCardinality(String), sequence UInt64 CODEC(Delta, ZSTD)
) ENGINE = MergeTree ORDER BY (brand, member_id, occurred_at, receipt_id) SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS stampede.receipt_lines (
  brand LowCardinality(String), member_id String CODEC(ZSTD), occurred_at DateTime64(3, 'UTC'), receipt_id String CODEC(ZSTD), line UInt32,
  kind LowCardinality(String), sku LowCardinality(String), category LowCardinality(String), quantity Int64, amount_minor Int64, source LowCardinality(String), sequence UInt64 CODEC(Delta, ZSTD)
) ENGINE = MergeTree ORDER BY (brand, member_id, occurred_at, receipt_id, line) SETTINGS non_replicated_deduplication_window = 10000;

-- What RFM, KPIs and series read: additive, so a return is a row of its own date and nothing is ever rewritten. It is kept by
-- instant, not by day, so that the brand's time zone and the as-of instant are applied when it is read.
CREATE TABLE IF NOT EXISTS stampede.member_activity (
  brand LowCardinality(String), member_id String CODEC(ZSTD), at DateTime64(3, 'UTC'),
  sales SimpleAggregateFunction(sum, UInt64), sales_minor SimpleAggregateFunction(sum, Int64),
  returns SimpleAggregateFunction(sum, UInt64), returned_minor SimpleAggregateFunction(sum, Int64),
  points_earned SimpleAggregateFunction(sum, Int64), points_spent SimpleAggregateFunction(sum, Int64)
) ENGINE = AggregatingMergeTree ORDER BY (brand, member_id, at) SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS stampede.member_activity_view TO stampede.member_activity AS
SELECT brand, member_id, occurred_at AS at,
  countIf(kind = 'sale') AS sales, sumIf(total_minor, kind = 'sale') AS sales_minor,
  countIf(kind = 'return') AS returns, sumIf(total_minor, kind = 'return') AS returned_minor,
  sum(if(kind = 'sale', points_earned, -points_earned)) AS points_earned, sum(if(kind = 'sale', points_spent, -points_spent)) AS points_spent
FROM stampede.receipts GROUP BY brand, member_id, at;

CREATE TABLE IF NOT EXISTS stampede.accounts (
  brand LowCardinality(String), member_id String CODEC(ZSTD), version UInt64,
  available Int64, pending Int64, held Int64, debt Int64, lifetime_earned Int64
) ENGINE = ReplacingMergeTree(version) ORDER BY (brand, member_id) SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS stampede.members (
  brand LowCardinality(String), member_id String CODEC(ZSTD), version UInt64,
  status LowCardinality(String), locale LowCardinality(String), marketing_consent Bool, enrolled_at DateTime64(3, 'UTC'), store_id LowCardinality(String)
) ENGINE = ReplacingMergeTree(version) ORDER BY (brand, member_id) SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS stampede.passes (
  brand LowCardinality(String), no UInt64, version UInt64, member_id String CODEC(ZSTD), devices UInt32, google_object Bool
) ENGINE = ReplacingMergeTree(version) ORDER BY (brand, no) SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS stampede.push_outcomes (
  brand LowCardinality(String), campaign_id String CODEC(ZSTD), pass_no UInt64, device_library_id String CODEC(ZSTD),
  at DateTime64(3, 'UTC'), lane LowCardinality(String), outcome LowCardinality(String), reason LowCardinality(String),
  retries UInt32, chunk_id String CODEC(ZSTD), position UInt32, source LowCardinality(String), sequence UInt64 CODEC(Delta, ZSTD)
) ENGINE = MergeTree ORDER BY (brand, campaign_id, pass_no, device_library_id, at) SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS stampede.fetches (
  brand LowCardinality(String), campaign_id String CODEC(ZSTD), pass_no UInt64, fetched_at DateTime64(3, 'UTC'), changed_at DateTime64(3, 'UTC'), source LowCardinality(String), sequence UInt64 CODEC(Delta, ZSTD)
) ENGINE = MergeTree ORDER BY (brand, campaign_id, pass_no, fetched_at) SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS stampede.campaigns (
  brand LowCardinality(String), campaign_id String CODEC(ZSTD), version UInt64, name String, status LowCardinality(String),
  campaign_seq UInt64, audience UInt64, chunks UInt32
) ENGINE = ReplacingMergeTree(version) ORDER BY (brand, campaign_id) SETTINGS non_replicated_deduplication_window = 10000;

-- A partition per snapshot: dropping an old one costs nothing. Which one is a brand's newest is told by PostgreSQL.
CREATE TABLE IF NOT EXISTS stampede.snapshot_measures (
  brand LowCardinality(String), snapshot_id UUID, member_id String CODEC(ZSTD),
  frequency UInt32, recency_days UInt32, span_days UInt32, monetary_minor Int64
) ENGINE = MergeTree PARTITION BY snapshot_id ORDER BY (brand, snapshot_id, member_id);

CREATE TABLE IF NOT EXISTS stampede.member_scores (
  brand LowCardinality(String), snapshot_id UUID, member_id String CODEC(ZSTD),
  r UInt8, f UInt8, m UInt8, segment LowCardinality(String), churning Bool,
  frequency UInt32, recency_days UInt32, monetary_minor Int64
) ENGINE = MergeTree PARTITION BY snapshot_id ORDER BY (brand, snapshot_id, member_id);
