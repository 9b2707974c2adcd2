import { addDays, localDay } from '../calendar.ts'
import { type QualifyingDay, rankOf, reachedRank, type TierLadder, type TierState } from './ladder.ts'
import { countIn, type DaySpan, graceEnd, nextEvaluation, windowOf } from './windows.ts'

/** What an evaluation needs to know of a member. */
export interface TierFacts {
  readonly ladder: TierLadder
  /** Undefined for a member who was never evaluated. */
  readonly state: TierState | undefined
  readonly days: readonly QualifyingDay[]
  readonly nowMs: number
  readonly timeZone: string
}

/** A step of an evaluation. */
export interface TierStep {
  readonly atMs: number
  /** closed: a window or holding ended; reached: the member has reached a better tier. */
  readonly kind: 'closed' | 'reached'
  readonly fromTierId: string | undefined
  readonly toTierId: string | undefined
  /** What was counted, in the metric's unit, in which days. */
  readonly counted: bigint
  readonly span: DaySpan
  /** Why the tier is what it is now: reached, kept, pinned (by hand or frozen), grace, lost, never (tiers are not lost). */
  readonly reason: 'reached' | 'kept' | 'pinned' | 'grace' | 'lost' | 'never'
}

/** Where a member stands now and how it came about. */
export interface TierEvaluation {
  readonly state: TierState
  readonly steps: readonly TierStep[]
}

/** Windows closed in one evaluation at most: whoever was away longer than this has no tier left to lose. */
const CLOSINGS_MAX = 100

/**
 * Brings a member's tier up to `nowMs`: closes what has ended, then looks whether a better tier is reached. A late
 * receipt of the window before counts for a better tier, never for a worse one: what a closing has decided stands.
 */
export function evaluateTier(facts: TierFacts): TierEvaluation {
  const steps: TierStep[] = []
  let state = facts.state ?? firstState(facts)
  for (let count = 0; count < CLOSINGS_MAX && state.evaluateAtMs <= facts.nowMs; count += 1) {
    const closed = close(facts, state)
    state = closed.state
    steps.push(closed.step)
  }
  if (state.evaluateAtMs <= facts.nowMs) state = firstState(facts)
  const reached = reach(facts, state)
  if (reached === undefined) return { state, steps }
  return { state: reached.state, steps: [...steps, reached.step] }
}

function firstState({ ladder, days, nowMs, timeZone }: TierFacts): TierState {
  const today = localDay(nowMs, timeZone)
  const [joinedOn = today] = [today, ...days.map(({ day }) => day)].toSorted()
  return {
    tierId: undefined,
    previousTierId: undefined,
    sinceMs: 0,
    evaluateAtMs: nextEvaluation(ladder, today, joinedOn, timeZone),
    isInGrace: false,
    pinnedUntilMs: 0,
    joinedOn,
  }
}

/** Decides at the end of a window, a holding or a grace. */
function close(facts: TierFacts, state: TierState): { readonly state: TierState; readonly step: TierStep } {
  const { ladder, days, timeZone } = facts
  const atMs = state.evaluateAtMs
  const span = closedSpan(facts, state)
  const counted = countIn(ladder, days, span)
  const rank = rankOf(ladder, state.tierId)
  const reached = reachedRank(ladder, counted)
  const next = (target: number, reason: TierStep['reason']) => {
    const tierId = ladder.tiers[target]?.tierId
    const isChanged = tierId !== state.tierId
    return {
      state: {
        ...state,
        tierId,
        previousTierId: isChanged ? state.tierId : state.previousTierId,
        sinceMs: isChanged ? atMs : state.sinceMs,
        isInGrace: false,
        evaluateAtMs: nextEvaluation(ladder, localDay(atMs, timeZone), state.joinedOn, timeZone),
      },
      step: { atMs, kind: 'closed' as const, fromTierId: state.tierId, toTierId: tierId, counted, span, reason },
    }
  }
  if (reached >= rank) return next(reached, reached > rank ? 'reached' : 'kept')
  if (state.pinnedUntilMs > atMs) return next(rank, 'pinned')
  if (ladder.downgrade === 'never') return next(rank, 'never')
  if (ladder.graceDays > 0 && !state.isInGrace) {
    const stays = next(rank, 'grace')
    const evaluateAtMs = graceEnd(ladder, atMs, timeZone)
    return { ...stays, state: { ...stays.state, isInGrace: true, evaluateAtMs } }
  }
  return next(ladder.downgrade === 'one_step' ? Math.max(reached, rank - 1) : reached, 'lost')
}

/** Days that a closing looks at: the window that ends, and with it the grace after it. */
function closedSpan({ ladder, timeZone }: TierFacts, state: TierState): DaySpan {
  const lastDay = localDay(state.evaluateAtMs - 1, timeZone)
  const span = windowOf(ladder, lastDay, state.joinedOn)
  if (!state.isInGrace || ladder.window.kind === 'rolling') return span
  const before = windowOf(ladder, addDays(span.from, -1), state.joinedOn)
  return { from: before.from, to: localDay(state.evaluateAtMs, timeZone) }
}

/** A better tier by the window of now, or by the one before, of which a late receipt may have come. */
function reach(facts: TierFacts, state: TierState): { readonly state: TierState; readonly step: TierStep } | undefined {
  const { ladder, days, nowMs, timeZone } = facts
  const today = localDay(nowMs, timeZone)
  const current = windowOf(ladder, today, state.joinedOn)
  const isFixed = ladder.window.kind !== 'rolling'
  const before = isFixed ? windowOf(ladder, addDays(current.from, -1), state.joinedOn) : current
  const spans = ladder.upgrade === 'immediate' ? [current, before] : [before]
  const counted = spans.map((span) => ({ span, counted: countIn(ladder, days, span) }))
  const best = counted.reduce((left, right) => (right.counted > left.counted ? right : left))
  const target = reachedRank(ladder, best.counted)
  const rank = rankOf(ladder, state.tierId)
  const isRenewed = !isFixed && target >= 0 && target === rank
  if (target <= rank && !isRenewed) return undefined
  const tierId = ladder.tiers[target]?.tierId
  const evaluateAtMs = nextEvaluation(ladder, today, state.joinedOn, timeZone)
  if (isRenewed) return renewed(state, evaluateAtMs, { best, nowMs })
  return {
    state: { ...state, tierId, previousTierId: state.tierId, sinceMs: nowMs, isInGrace: false, evaluateAtMs },
    step: { atMs: nowMs, kind: 'reached', fromTierId: state.tierId, toTierId: tierId, ...best, reason: 'reached' },
  }
}

/** In a rolling window every day on which the tier is qualified for moves the end of its holding. */
function renewed(
  state: TierState,
  evaluateAtMs: number,
  { best, nowMs }: { readonly best: { readonly span: DaySpan; readonly counted: bigint }; readonly nowMs: number },
): { readonly state: TierState; readonly step: TierStep } | undefined {
  if (evaluateAtMs <= state.evaluateAtMs) return undefined
  const { tierId } = state
  return {
    state: { ...state, evaluateAtMs },
    step: { atMs: nowMs, kind: 'reached', fromTierId: tierId, toTierId: tierId, ...best, reason: 'kept' },
  }
}
