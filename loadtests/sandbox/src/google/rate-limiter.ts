const WINDOW_MS = 1_000

/** Keeps each issuer to its calls per second: so many in any second, however it is placed. */
export class RateLimiter {
  /** Instants of the calls that were let through within the last second, in order. */
  readonly #passed = new Map<string, number[]>()

  /** Lets one call through; false when the issuer had `rate` of them within the last second. */
  take(issuerId: string, rate: number, nowMs: number): boolean {
    const passed = this.#passed.get(issuerId) ?? []
    this.#passed.set(issuerId, passed)
    const firstInside = passed.findIndex((atMs) => atMs > nowMs - WINDOW_MS)
    passed.splice(0, firstInside === -1 ? passed.length : firstInside)
    if (passed.length >= rate) return false
    passed.push(nowMs)
    return true
  }
}
