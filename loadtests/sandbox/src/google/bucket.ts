/** Token buckets by issuer: `rate` requests per second, with a burst of one second. */
export class RateLimiter {
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>()

  /** Takes one token; false when the issuer has none left. */
  take(issuerId: string, rate: number, nowMs: number): boolean {
    const bucket = this.#buckets.get(issuerId) ?? { tokens: rate, atMs: nowMs }
    bucket.tokens = Math.min(rate, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * rate)
    bucket.atMs = nowMs
    this.#buckets.set(issuerId, bucket)
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }
}
