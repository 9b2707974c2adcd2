import { depositAttempts, newRetryBudget, type RetryBudget, withdrawRetries } from '../domain/retry-budget.ts'

interface Pace {
  budget: RetryBudget
  pausedUntilMs: number
}

/** What all chunks of a brand share: the budget of repetitions, and the wait that APNs asked for. */
export class BrandPaces {
  readonly #paces = new Map<string, Pace>()

  /** Unix milliseconds until which the brand sends nothing. */
  pausedUntilMs(brand: string): number {
    return this.#pace(brand).pausedUntilMs
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
