/** Tiers of a programme and how members reach and keep them. */
export interface TierLadder {
  /** Lowest first; thresholds grow. A member below the first one has no tier. */
  readonly tiers: readonly Tier[]
  /** What is counted, net of returns: money paid, in minor units; points earned; or receipts. */
  readonly metric: Metric
  readonly window: Window
  /** Days that a tier outlives its last evaluation, rounded up to the end of their month; what is bought in them counts. */
  readonly graceDays: number
  /** Whether a better tier begins at once or with the next window. */
  readonly upgrade: 'immediate' | 'next_window'
  /** Where a member goes who has not kept the tier: one tier down, to the tier that was reached, or nowhere. */
  readonly downgrade: 'one_step' | 'reassess' | 'never'
}

/** What tiers are reached by. */
export type Metric = 'spend' | 'points' | 'visits'

/** In which time it is counted, in the brand's zone. */
export type Window =
  /** 1 January to 31 December. A tier is kept to the end of the year after the one in which it was reached. */
  | { readonly kind: 'calendar_year' }
  /** A year from the day of the member's first purchase, and from each anniversary of it. */
  | { readonly kind: 'anniversary' }
  /** The last so many months. A tier is kept for so many months after the last day on which it was qualified for. */
  | { readonly kind: 'rolling'; readonly months: number; readonly holdMonths: number }

/** A tier. */
export interface Tier {
  /** [a-z0-9-]{1,40}. */
  readonly tierId: string
  /** What it takes, in the metric's unit; positive. */
  readonly threshold: bigint
  /** The base of what is earned so many times, in hundredths; at least 100. */
  readonly earnHundredths: bigint
  /** Points for reaching it, once in a window; 0 for none. */
  readonly entryPoints: bigint
}

/** What a member did on a day, net of returns, which count on the day of their sale. */
export interface QualifyingDay {
  /** YYYY-MM-DD in the brand's zone. */
  readonly day: string
  readonly spendMinor: bigint
  readonly points: bigint
  readonly visits: bigint
}

/** Where a member stands. */
export interface TierState {
  /** Undefined: below the first tier. */
  readonly tierId: string | undefined
  /** Tier before it, for receipts from before `sinceMs`. */
  readonly previousTierId: string | undefined
  readonly sinceMs: number
  /** When it is looked at next, Unix milliseconds: the end of the window, of the holding, or of the grace. */
  readonly evaluateAtMs: number
  /** Whether the grace after a window runs. */
  readonly isInGrace: boolean
  /** Until then the tier is not taken away: given by hand, or frozen. Unix milliseconds, 0 for nothing of that. */
  readonly pinnedUntilMs: number
  /** First purchase, YYYY-MM-DD. */
  readonly joinedOn: string
}

/** Money, points and receipts that a day gains or loses. */
export type Qualifying = Omit<QualifyingDay, 'day'>

/** Place of a tier in the ladder, from 0; -1 for none, or for one that the ladder does not have. */
export function rankOf({ tiers }: TierLadder, tierId: string | undefined): number {
  return tiers.findIndex((tier) => tier.tierId === tierId)
}

/** The tier by id. */
export function tierOf({ tiers }: TierLadder, tierId: string | undefined): Tier | undefined {
  return tiers.find((tier) => tier.tierId === tierId)
}

/** Rank of the best tier that so much of the metric reaches; -1 for none. */
export function reachedRank({ tiers }: TierLadder, amount: bigint): number {
  return tiers.findLastIndex((tier) => tier.threshold <= amount)
}

/** The tier that a receipt of an instant belongs to. */
export function tierAt(state: TierState | undefined, atMs: number): string | undefined {
  if (state === undefined) return undefined
  return atMs < state.sinceMs ? state.previousTierId : state.tierId
}
