import { atInstant, newTokenBreaker, recordAnswers, roomOf, spend, type TokenBreaker } from '../domain/token-breaker.ts'

/** While a probe is out, others look again after this long, in milliseconds. */
const PROBE_LOOK_MS = 1_000

/** Told when the bulk lane of a brand is blocked and when it is free again. */
export type BreakerListener = (brand: string, isBlocked: boolean) => void

/** One breaker per brand, for its bulk lane on this replica. */
export class TokenBreakers {
  /** Only breakers with a history. */
  readonly #breakers = new Map<string, TokenBreaker>()
  readonly #changed: BreakerListener

  constructor(changed: BreakerListener) {
    this.#changed = changed
  }

  /** How many bulk pushes of the brand may go now. */
  room(brand: string, nowMs: number): number {
    return roomOf(this.#at(brand, nowMs))
  }

  /** Unix milliseconds until which none may go; 0 when some may. */
  pausedUntilMs(brand: string, nowMs: number): number {
    const breaker = this.#at(brand, nowMs)
    if (roomOf(breaker) > 0) return 0
    return breaker.kind === 'open' ? breaker.untilMs : nowMs + PROBE_LOOK_MS
  }

  /** So many were sent. */
  spend(brand: string, pushes: number): void {
    const breaker = this.#breakers.get(brand)
    if (breaker !== undefined) this.#breakers.set(brand, spend(breaker, pushes))
  }

  /** Answers of APNs on the bulk lane, `bad` of them BadDeviceToken. */
  record(brand: string, answers: number, bad: number, nowMs: number): void {
    const before = this.#at(brand, nowMs)
    const after = recordAnswers(before, answers, bad, nowMs)
    this.#breakers.set(brand, after)
    if (before.kind === 'closed' && after.kind !== 'closed') this.#changed(brand, true)
    if (before.kind !== 'closed' && after.kind === 'closed') this.#changed(brand, false)
  }

  #at(brand: string, nowMs: number): TokenBreaker {
    const known = this.#breakers.get(brand)
    if (known === undefined) return newTokenBreaker
    const now = atInstant(known, nowMs)
    if (now !== known) this.#breakers.set(brand, now)
    return now
  }
}
