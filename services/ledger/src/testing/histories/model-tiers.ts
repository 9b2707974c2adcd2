import { dayOf, firstOfYear, monthsAfter, startOf } from './model-days.ts'
import type { ModelTiers } from './model-rules.ts'

/** What a day counts for. */
export interface Counted {
  readonly spend: bigint
  readonly points: bigint
  readonly visits: bigint
}

/** Where a member stands: a place in the ladder, -1 below it. */
export class ModelStanding {
  rank = -1
  #before = -1
  #since = 0
  #lookAt: number | undefined
  readonly #days = new Map<number, Counted>()
  readonly #rewarded = new Set<string>()
  readonly #tiers: ModelTiers

  constructor(tiers: ModelTiers) {
    this.#tiers = tiers
  }

  /** Adds to a day. */
  count(day: number, { spend, points, visits }: Counted): void {
    const had = this.#days.get(day) ?? { spend: 0n, points: 0n, visits: 0n }
    this.#days.set(day, { spend: had.spend + spend, points: had.points + points, visits: had.visits + visits })
  }

  /** How many hundredths of the base a receipt of this instant earns. */
  hundredthsAt(at: number): bigint {
    return this.#tiers.steps[at < this.#since ? this.#before : this.rank]?.hundredths ?? 100n
  }

  /** Whether something has ended and nobody has looked since. */
  isDue(now: number): boolean {
    return this.#lookAt !== undefined && this.#lookAt <= now
  }

  /** Closes what has ended, then looks whether a better tier is reached; answers the rewards of tiers entered, with their instants. */
  look(now: number): readonly { readonly at: number; readonly points: bigint }[] {
    const rewards: { at: number; points: bigint }[] = []
    const { months, upgrade, downgrade } = this.#tiers
    const today = dayOf(now)
    const move = (rank: number, at: number, from: number) => {
      const points = this.#tiers.steps[rank]?.entryPoints ?? 0n
      const name = `${rank} ${from}`
      if (rank > this.rank && points > 0n && !this.#rewarded.has(name)) rewards.push({ at, points })
      if (rank > this.rank && points > 0n) this.#rewarded.add(name)
      if (rank === this.rank) return
      this.#before = this.rank
      this.rank = rank
      this.#since = at
    }
    this.#lookAt ??= this.#next(today)
    while (this.#lookAt <= now) {
      const at = this.#lookAt
      const [from, to] = this.#window(dayOf(at - 1))
      const reached = this.#reached(from, to)
      const lost = { never: this.rank, one_step: Math.max(reached, this.rank - 1), reassess: reached }[downgrade]
      move(reached >= this.rank ? reached : lost, at, from)
      this.#lookAt = this.#next(dayOf(at))
    }
    const current = this.#window(today)
    const previous = this.#window(current[0] - 1)
    const windows = months > 0 ? [current] : upgrade === 'immediate' ? [current, previous] : [previous]
    let best = -1
    let bestFrom = 0
    for (const [from, to] of windows) {
      const reached = this.#reached(from, to)
      if (reached > best) {
        best = reached
        bestFrom = from
      }
    }
    if (best > this.rank) {
      move(best, now, bestFrom)
      this.#lookAt = this.#next(today)
    } else if (months > 0 && best >= 0 && best === this.rank) {
      this.#lookAt = Math.max(this.#lookAt, this.#next(today))
    }
    return rewards
  }

  #window(day: number): [from: number, to: number] {
    const { months } = this.#tiers
    if (months > 0) return [monthsAfter(day + 1, -months), day + 1]
    const from = firstOfYear(day)
    return [from, monthsAfter(from, 12)]
  }

  #next(day: number): number {
    const { months } = this.#tiers
    return startOf(months > 0 ? monthsAfter(day, months) + 1 : this.#window(day)[1])
  }

  #reached(from: number, to: number): number {
    let sum = 0n
    for (const [day, counted] of this.#days) if (day >= from && day < to) sum += counted[this.#tiers.metric]
    return this.#tiers.steps.findLastIndex(({ threshold }) => threshold <= sum)
  }
}
