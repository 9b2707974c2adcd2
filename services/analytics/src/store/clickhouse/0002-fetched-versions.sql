-- Which device fetched which version of a pass, and when its push was handed out: from sent to fetched. The device is a
-- digest in hexadecimal, empty when it is not known.
ALTER TABLE stampede.fetches ADD COLUMN IF NOT EXISTS device String CODEC(ZSTD);
ALTER TABLE stampede.fetches ADD COLUMN IF NOT EXISTS pass_version UInt64 CODEC(ZSTD);
ALTER TABLE stampede.fetches ADD COLUMN IF NOT EXISTS pushed_at Nullable(DateTime64(3, 'UTC'));
