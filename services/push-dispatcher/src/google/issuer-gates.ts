import { setTimeout as sleep } from 'node:timers/promises'
import { type Bucket, type BucketLimits, fullBucket, refill } from '../domain/token-bucket.ts'

/** A bucket holds so much of a second's calls: small enough that no second exceeds the limit visibly. */
const BURST_SECONDS = 0.25
/** Issuers whose buckets are kept; forgetting one costs it a burst at most. */
const ISSUERS_MAX = 10_000

interface Gate {
  bucket: Bucket
  pausedUntilMs: number
}

/** Paces the calls of each issuer, whatever they are for. */
export class IssuerGates {
  readonly #limits: BucketLimits
  readonly #gates = new Map<string, Gate>()

  constructor(perSecond: number) {
    this.#limits = { perSecond, burst: Math.max(1, perSecond * BURST_SECONDS) }
  }

  /** Waits for the turn of one call; false when the signal came first. */
  async turn(issuer: string, signal: AbortSignal): Promise<boolean> {
    const gate = this.#gate(issuer)
    while (!signal.aborted) {
      const pausedMs = gate.pausedUntilMs - Date.now()
      if (pausedMs > 0) {
        await pause(pausedMs, signal)
        continue
      }
      // The token is taken before it is there: so callers go in the order in which they came.
      gate.bucket = overdraw(gate.bucket, this.#limits, Date.now())
      const waitMs = (-gate.bucket.tokens * 1_000) / this.#limits.perSecond
      if (waitMs > 0) await pause(Math.ceil(waitMs), signal)
      if (gate.pausedUntilMs <= Date.now()) return !signal.aborted
    }
    return false
  }

  /** No call of the issuer for a while, in milliseconds; the longest pause counts. */
  pause(issuer: string, ms: number): void {
    const gate = this.#gate(issuer)
    gate.pausedUntilMs = Math.max(gate.pausedUntilMs, Date.now() + ms)
  }

  #gate(issuer: string): Gate {
    const known = this.#gates.get(issuer)
    if (known !== undefined) return known
    if (this.#gates.size >= ISSUERS_MAX) this.#gates.clear()
    const gate = { bucket: fullBucket(this.#limits, Date.now()), pausedUntilMs: 0 }
    this.#gates.set(issuer, gate)
    return gate
  }
}

function overdraw(bucket: Bucket, limits: BucketLimits, nowMs: number): Bucket {
  const now = refill(bucket, limits, nowMs)
  return { ...now, tokens: now.tokens - 1 }
}

/** Sleeps; shorter when the signal comes. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}
