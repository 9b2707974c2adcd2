import type { Lane } from '../apns/transport.ts'
import { depositAttempts, newRetryBudget, type RetryBudget, withdrawRetries } from '../domain/retry-budget.ts'
import { TokenBreakers } from './token-breakers.ts'

interface Pace {
  budget: RetryBudget
  pausedUntilMs: number
}

/** What all chunks of a brand share: the budget of repetitions, the wait that APNs asked for, and that of the breaker. */
export class BrandPaces {
  readonly #paces = new Map<string, Pace>()
  readonly #breakers: TokenBreakers

  /** Default: breakers that nobody ever opens. */
  constructor(breakers = new TokenBreakers(() => {})) {
    this.#breakers = breakers
  }

  /** Unix milliseconds until which the brand sends nothing on a lane. */
  pausedUntilMs(brand: string, lane: Lane): number {
    const { pausedUntilMs } = this.#pace(brand)
    return lane === 'tx' ? pausedUntilMs : Math.max(pausedUntilMs, this.#breakers.pausedUntilMs(brand, Date.now()))
  }

  /** The whole service asked for a wait: the longest one counts. */
  pause(brand: string, untilMs: number): void {
    const pace = this.#pace(brand)
    pace.pausedUntilMs = Math.max(pace.pausedUntilMs, untilMs)
  }

  /** Credits first attempts. */
  deposit(brand: string, attempts: number): void {
    const pace = this.#pace(brand)
    pace.budget = depositAttempts(pace.budget, attempts, Date.now())
  }

  /** Takes up to `want` repetitions from the budget. */
  withdraw(brand: string, want: number): number {
    const pace = this.#pace(brand)
    const { granted, bucket } = withdrawRetries(pace.budget, want, Date.now())
    pace.budget = bucket
    return granted
  }

  #pace(brand: string): Pace {
    const known = this.#paces.get(brand)
    if (known !== undefined) return known
    const pace = { budget: newRetryBudget(Date.now()), pausedUntilMs: 0 }
    this.#paces.set(brand, pace)
    return pace
  }
}
