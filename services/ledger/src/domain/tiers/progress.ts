import { localDay } from '../calendar.ts'
import type { TierFacts } from './evaluate.ts'
import { rankOf, type TierState } from './ladder.ts'
import { countIn, nextEvaluation, windowOf } from './windows.ts'

/** What a card shows of a member's tier. */
export interface TierProgress {
  /** Undefined: below the first tier. */
  readonly tierId: string | undefined
  /** First instant at which it can be lost, as things stand; infinite where it cannot. Unix milliseconds. */
  readonly untilMs: number
  /** Counted in the window of now, in the metric's unit. */
  readonly counted: bigint
  /** What is missing to keep it after that; 0 when it is kept already, or cannot be lost. */
  readonly toKeep: bigint
  /** The next better tier; undefined at the top. */
  readonly nextTierId: string | undefined
  /** What is missing to it. */
  readonly toNext: bigint
  /** Whether it will be lost at `untilMs` unless something is bought. */
  readonly willDowngrade: boolean
}

/** Progress of a member whose tier was evaluated at `nowMs`. */
export function tierProgress(facts: TierFacts, state: TierState): TierProgress {
  const { ladder, days, nowMs, timeZone } = facts
  const today = localDay(nowMs, timeZone)
  const span = windowOf(ladder, today, state.joinedOn)
  const counted = countIn(ladder, days, span)
  const rank = rankOf(ladder, state.tierId)
  const own = ladder.tiers[rank]?.threshold ?? 0n
  const next = ladder.tiers[rank + 1]
  const isSafe = rank < 0 || ladder.downgrade === 'never'
  const toKeep = isSafe || counted >= own ? 0n : own - counted
  const isKept = toKeep === 0n && ladder.window.kind !== 'rolling'
  const endMs = isKept ? nextEvaluation(ladder, span.to, state.joinedOn, timeZone) : state.evaluateAtMs
  return {
    tierId: state.tierId,
    untilMs: isSafe ? Number.POSITIVE_INFINITY : Math.max(endMs, state.pinnedUntilMs),
    counted,
    toKeep,
    nextTierId: next?.tierId,
    toNext: next === undefined || counted >= next.threshold ? 0n : next.threshold - counted,
    willDowngrade: toKeep > 0n && state.pinnedUntilMs <= state.evaluateAtMs,
  }
}
