/** A token bucket as plain data: what is in it at an instant. */
export interface Bucket {
  /** Tokens; may be negative after an overdraft. */
  readonly tokens: number
  /** Instant of that level, milliseconds. */
  readonly atMs: number
}

/** Shape of a bucket. */
export interface BucketLimits {
  /** Tokens that come per second. */
  readonly perSecond: number
  /** Most tokens that it holds. */
  readonly burst: number
}

/** A full bucket. */
export function fullBucket(limits: BucketLimits, nowMs: number): Bucket {
  return { tokens: limits.burst, atMs: nowMs }
}

/** The bucket as it stands now. A clock that went back adds nothing. */
export function refill(bucket: Bucket, { perSecond, burst }: BucketLimits, nowMs: number): Bucket {
  const elapsedMs = Math.max(0, nowMs - bucket.atMs)
  return { tokens: Math.min(burst, bucket.tokens + (elapsedMs * perSecond) / 1_000), atMs: nowMs }
}

/** Takes up to `want` whole tokens; `granted` may be 0. */
export function takeUpTo(
  bucket: Bucket,
  limits: BucketLimits,
  want: number,
  nowMs: number,
): { readonly granted: number; readonly bucket: Bucket } {
  const now = refill(bucket, limits, nowMs)
  const granted = Math.max(0, Math.min(want, Math.floor(now.tokens)))
  return { granted, bucket: { ...now, tokens: now.tokens - granted } }
}

/** Milliseconds until at least one token is there; 0 when it is. */
export function waitForOneMs(bucket: Bucket, limits: BucketLimits, nowMs: number): number {
  const { tokens } = refill(bucket, limits, nowMs)
  return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * 1_000) / limits.perSecond)
}
