import { type BackoffLimits, backoffMs } from '../../domain/backoff.ts'

/** Waits that are remembered; the oldest are forgotten first, which costs a call each. */
const WAITS_MAX = 200_000

interface Wait {
  readonly attempts: number
  readonly untilMs: number
}

/** What may not be tried before when: grows with each failure, by key. */
export class Waits {
  readonly #limits: BackoffLimits
  readonly #waits = new Map<string, Wait>()

  constructor(limits: BackoffLimits) {
    this.#limits = limits
  }

  /** Whether it is too early. */
  isWaiting(key: string, nowMs: number): boolean {
    return (this.#waits.get(key)?.untilMs ?? 0) > nowMs
  }

  /** It failed: wait longer than last time, `atLeastMs` at least. Failures during a wait are the same failure. */
  postpone(key: string, nowMs: number, atLeastMs = 0): void {
    if (this.isWaiting(key, nowMs)) return
    const attempts = (this.#waits.get(key)?.attempts ?? 0) + 1
    const delayMs = Math.max(atLeastMs, backoffMs(attempts, this.#limits, Math.random()))
    this.#waits.delete(key)
    this.#waits.set(key, { attempts, untilMs: nowMs + delayMs })
    for (const oldest of this.#waits.keys()) {
      if (this.#waits.size <= WAITS_MAX) break
      this.#waits.delete(oldest)
    }
  }

  /** It worked. */
  clear(key: string): void {
    this.#waits.delete(key)
  }
}
