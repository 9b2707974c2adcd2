import { setTimeout as sleep } from 'node:timers/promises'
import type { Lane } from '../apns/transport.ts'
import { type Bucket, type BucketLimits, fullBucket, refill, takeUpTo, waitForOneMs } from '../domain/token-bucket.ts'
import { TokenBreakers } from './token-breakers.ts'

/** Pushes of one grant at most. */
const GRANT_MAX = 1_000
/** A bucket holds this share of a second: small enough that no second exceeds the ceiling visibly. */
const BURST_SECONDS = 0.1
/** Share of the global bucket that is kept for the tx lane. */
const TX_RESERVE = 0.2
/** Longest sleep between looks at a bucket, in milliseconds: ceilings can change meanwhile. */
const SLEEP_MAX_MS = 250

/** Where the ceilings come from; 0 means none. */
export interface RateCeilings {
  /** Pushes per second of this replica, both lanes together. */
  readonly globalPerSecond: number
  /** Bulk pushes per second of a brand on this replica. */
  bulkPerSecond(brand: string): number
}

/** Grants pushes: the replica's ceiling for both lanes, with a reserve for tx, and each brand's for bulk. */
export class RateGate {
  readonly #ceilings: RateCeilings
  readonly #breakers: TokenBreakers
  readonly #global: BucketLimits | undefined
  #globalBucket: Bucket
  readonly #brandBuckets = new Map<string, Bucket>()

  /** Default: breakers that nobody ever opens. */
  constructor(ceilings: RateCeilings, breakers = new TokenBreakers(() => {})) {
    this.#ceilings = ceilings
    this.#breakers = breakers
    this.#global = ceilings.globalPerSecond > 0 ? limitsOf(ceilings.globalPerSecond) : undefined
    this.#globalBucket = fullBucket(this.#global ?? limitsOf(1), Date.now())
  }

  /**
   * Waits until at least one push may go and grants up to `want`; 0 when the signal was aborted, or at once when the
   * brand's breaker blocks its bulk lane.
   */
  async grant(lane: Lane, brand: string, want: number, signal: AbortSignal): Promise<number> {
    for (;;) {
      const room = lane === 'bulk' ? this.#breakers.room(brand, Date.now()) : GRANT_MAX
      if (signal.aborted || room === 0) return 0
      const { granted, waitMs } = this.#take(lane, brand, Math.min(want, room, GRANT_MAX))
      if (granted > 0) {
        if (lane === 'bulk') this.#breakers.spend(brand, granted)
        return granted
      }
      await sleep(Math.min(SLEEP_MAX_MS, Math.max(1, waitMs)), undefined, { signal }).catch(() => undefined)
    }
  }

  #take(lane: Lane, brand: string, want: number): { readonly granted: number; readonly waitMs: number } {
    const nowMs = Date.now()
    const brandPerSecond = lane === 'bulk' ? this.#ceilings.bulkPerSecond(brand) : 0
    const brandLimits = brandPerSecond > 0 ? limitsOf(brandPerSecond) : undefined
    const brandBucket = this.#brandBuckets.get(brand) ?? (brandLimits && fullBucket(brandLimits, nowMs))
    let allowed = want
    let waitMs = 0
    if (brandLimits !== undefined && brandBucket !== undefined) {
      allowed = takeUpTo(brandBucket, brandLimits, allowed, nowMs).granted
      waitMs = waitForOneMs(brandBucket, brandLimits, nowMs)
    }
    if (this.#global !== undefined) {
      const reserve = lane === 'bulk' ? this.#global.burst * TX_RESERVE : 0
      const visible = {
        ...this.#globalBucket,
        tokens: refill(this.#globalBucket, this.#global, nowMs).tokens - reserve,
        atMs: nowMs,
      }
      allowed = takeUpTo(visible, this.#global, allowed, nowMs).granted
      waitMs = Math.max(waitMs, waitForOneMs(visible, this.#global, nowMs))
    }
    if (allowed === 0) return { granted: 0, waitMs }
    if (this.#global !== undefined)
      this.#globalBucket = takeUpTo(this.#globalBucket, this.#global, allowed, nowMs).bucket
    if (brandLimits !== undefined && brandBucket !== undefined)
      this.#brandBuckets.set(brand, takeUpTo(brandBucket, brandLimits, allowed, nowMs).bucket)
    return { granted: allowed, waitMs: 0 }
  }
}

function limitsOf(perSecond: number): BucketLimits {
  // Room for two tokens, or the reserve of the smallest bucket would never leave bulk a whole one.
  return { perSecond, burst: Math.max(2, perSecond * BURST_SECONDS) }
}
