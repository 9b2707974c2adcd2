import { addDays, addMonths, endOfDay, localDay, monthEnd, startOfDay } from '../calendar.ts'
import type { QualifyingDay, TierLadder } from './ladder.ts'

/** Months of days that an evaluation may look at: the longest rolling window, or two years and a late closing. */
const MONTHS_LOOKED_AT = 61

/** Days of a window: from the first up to, not including, the last. */
export interface DaySpan {
  /** YYYY-MM-DD. */
  readonly from: string
  /** YYYY-MM-DD, not part of it. */
  readonly to: string
}

/** The window that a day belongs to. */
export function windowOf({ window }: TierLadder, day: string, joinedOn: string): DaySpan {
  switch (window.kind) {
    case 'calendar_year': {
      const from = `${day.slice(0, 4)}-01-01`
      return { from, to: addMonths(from, 12) }
    }
    case 'anniversary': {
      const years = Number(day.slice(0, 4)) - Number(joinedOn.slice(0, 4))
      const begun = addMonths(joinedOn, years * 12) <= day ? years : years - 1
      return { from: addMonths(joinedOn, begun * 12), to: addMonths(joinedOn, (begun + 1) * 12) }
    }
    case 'rolling': {
      const to = addDays(day, 1)
      return { from: addMonths(to, -window.months), to }
    }
  }
}

/** When a tier that is qualified for on a day is looked at next. */
export function nextEvaluation(ladder: TierLadder, day: string, joinedOn: string, timeZone: string): number {
  const { window } = ladder
  if (window.kind === 'rolling') return endOfDay(addMonths(day, window.holdMonths), timeZone)
  return startOfDay(windowOf(ladder, day, joinedOn).to, timeZone)
}

/** End of the grace that follows an evaluation. */
export function graceEnd({ graceDays }: TierLadder, evaluatedAtMs: number, timeZone: string): number {
  return endOfDay(monthEnd(addDays(localDay(evaluatedAtMs - 1, timeZone), graceDays)), timeZone)
}

/** What is counted in a span of days. */
export function countIn({ metric }: TierLadder, days: readonly QualifyingDay[], { from, to }: DaySpan): bigint {
  let sum = 0n
  for (const one of days) {
    if (one.day < from || one.day >= to) continue
    sum += metric === 'spend' ? one.spendMinor : metric === 'points' ? one.points : one.visits
  }
  return sum
}

/** Money spent in the last so many months up to a day, or with 0 in its calendar year. */
export function spentBefore(days: readonly QualifyingDay[], months: number, today: string): bigint {
  const to = addDays(today, 1)
  const from = months === 0 ? `${today.slice(0, 4)}-01-01` : addMonths(to, -months)
  return days.reduce((sum, { day, spendMinor }) => (day >= from && day < to ? sum + spendMinor : sum), 0n)
}

/** First day that evaluations at this instant look at. */
export function firstDayLookedAt(nowMs: number): string {
  return addMonths(new Date(nowMs).toISOString().slice(0, 10), -MONTHS_LOOKED_AT)
}
