import { addDays, addMonths, endOfDay, endOfLife, localDay, periodEnd, startOfDay } from './calendar.ts'
import type { Activation, Life, Programme } from './programme.ts'
import type { EarnedTerm } from './sale.ts'

const MONTHS = { month: 1, quarter: 3, half_year: 6, year: 12 } as const
const DAY_MS = 86_400_000
/** Pending points can be spent at least so long before their programme ends. */
const LAST_CHANCE_MS = 30 * DAY_MS

/** From when to when the points of a receipt of this instant can be spent. */
export function earnedTerm(
  { activation, life, spendUntilMs }: Pick<Programme, 'activation' | 'life' | 'spendUntilMs'>,
  occurredAtMs: number,
  timeZone: string,
): EarnedTerm {
  if (activation.kind === 'event') {
    const timeoutMs = endOfLife(occurredAtMs, activation.timeoutDays, timeZone)
    return { activatesAtMs: Number.POSITIVE_INFINITY, expiresAtMs: Math.min(timeoutMs, spendUntilMs) }
  }
  const wantedMs = activationOf(activation, occurredAtMs, timeZone)
  const activatesAtMs = Math.max(Math.min(wantedMs, spendUntilMs - LAST_CHANCE_MS), occurredAtMs)
  return { activatesAtMs, expiresAtMs: Math.min(lifeEnd(life, activatesAtMs, timeZone), spendUntilMs) }
}

/** First instant at which points that become spendable at `fromMs` are unusable; infinite: never. */
export function lifeEnd({ term, roundUpTo }: Life, fromMs: number, timeZone: string): number {
  const from = localDay(fromMs, timeZone)
  if (term.kind === 'unlimited') return Number.POSITIVE_INFINITY
  const last = lastDay(term, from)
  return endOfDay(roundUpTo === undefined ? last : periodEnd(last, MONTHS[roundUpTo]), timeZone)
}

/** Where points live on that come back to a lot which has ended; undefined: they end at once. */
export function restoreEnd(
  { restorePolicy, life, spendUntilMs }: Pick<Programme, 'restorePolicy' | 'life' | 'spendUntilMs'>,
  nowMs: number,
  timeZone: string,
): number | undefined {
  if (restorePolicy.kind === 'original_expiry') return undefined
  const isGrace = restorePolicy.kind === 'grace'
  const endMs = isGrace ? endOfLife(nowMs, restorePolicy.days, timeZone) : lifeEnd(life, nowMs, timeZone)
  return Math.min(endMs, spendUntilMs)
}

function activationOf(
  activation: Exclude<Activation, { kind: 'event' }>,
  occurredAtMs: number,
  timeZone: string,
): number {
  if (activation.kind === 'immediate') return occurredAtMs
  return startOfDay(addDays(localDay(occurredAtMs, timeZone), activation.days), timeZone)
}

function lastDay(term: Exclude<Life['term'], { kind: 'unlimited' }>, from: string): string {
  switch (term.kind) {
    case 'days':
      return addDays(from, term.days)
    case 'months':
      return addMonths(from, term.months)
    case 'dates':
      return nextDate(term.dates, from)
  }
}

/** The next of the days of the year after this one: nothing ends on the day on which it was earned. */
function nextDate(dates: readonly string[], from: string): string {
  const year = Number(from.slice(0, 4))
  const days = [year, year + 1].flatMap((one) => dates.map((date) => clamped(one, date))).toSorted()
  return days.find((day) => day > from) ?? from
}

/** 29 February is the 28th where there is none. */
function clamped(year: number, date: string): string {
  return addMonths(`${year}-01-${date.slice(3)}`, Number(date.slice(0, 2)) - 1)
}
