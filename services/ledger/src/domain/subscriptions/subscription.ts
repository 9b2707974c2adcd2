import { addDays, addMonths, localDay, startOfDay } from '../calendar.ts'
import type { SubscriptionPlan } from './plan.ts'

const DAY_MS = 86_400_000

/** A time that is paid, or given for a trial. */
export interface Term {
  /** From 1. */
  readonly number: number
  readonly isTrial: boolean
  /** The instant that ends are stepped from, and how many terms after it this one ends. */
  readonly anchorMs: number
  readonly steps: number
  /** Half open, Unix milliseconds. */
  readonly fromMs: number
  readonly untilMs: number
  /** First instant without benefits, as long as no further term follows. */
  readonly benefitsUntilMs: number
  readonly tags: readonly string[]
  /** Empty for a trial. */
  readonly tender: string
  readonly priceMinor: bigint
  /** What the days that are over have earned. */
  readonly revenueMinor: bigint
  readonly refundMinor: bigint
}

/** A member's membership of a plan. */
export interface Subscription {
  readonly brand: string
  /** UUIDv7. */
  readonly subscriptionId: string
  readonly memberId: string
  readonly planId: string
  readonly startedAtMs: number
  /** Undefined: it is not. */
  readonly cancelledAtMs: number | undefined
  readonly version: bigint
}

/** Where a subscription stands. */
export type SubscriptionState = 'pending' | 'trial' | 'active' | 'past_due' | 'lapsed' | 'cancelled'

/** The state at an instant; `last` is the newest term. */
export function stateAt(
  { cancelledAtMs }: Pick<Subscription, 'cancelledAtMs'>,
  last: Term | undefined,
  nowMs: number,
): SubscriptionState {
  if (cancelledAtMs !== undefined) return 'cancelled'
  if (last === undefined) return 'pending'
  if (nowMs < last.untilMs) return last.isTrial ? 'trial' : 'active'
  return nowMs < last.benefitsUntilMs ? 'past_due' : 'lapsed'
}

/** Tags of the terms that give benefits at an instant. */
export function tagsAt(
  terms: readonly Pick<Term, 'fromMs' | 'benefitsUntilMs' | 'tags'>[],
  atMs: number,
): readonly string[] {
  return terms
    .filter(({ fromMs, benefitsUntilMs }) => fromMs <= atMs && atMs < benefitsUntilMs)
    .flatMap(({ tags }) => tags)
}

/** The trial of a plan. */
export function trialTerm(plan: SubscriptionPlan, number: number, nowMs: number, timeZone: string): Term {
  const untilMs = daysLater(nowMs, plan.trialDays, timeZone)
  const free = { tender: '', priceMinor: 0n, revenueMinor: 0n, refundMinor: 0n }
  const graceUntilMs = daysLater(untilMs, plan.graceDays, timeZone)
  const span = { anchorMs: untilMs, steps: 0, fromMs: nowMs, untilMs, benefitsUntilMs: graceUntilMs }
  return { number, isTrial: true, ...span, tags: plan.tags, ...free }
}

/** From when the next term runs: where the one before ends as long as there is grace, otherwise from now on. */
export function nextFrom(last: Term | undefined, nowMs: number): number {
  // One that was given back has not ended where it would have.
  return last !== undefined && last.refundMinor === 0n && nowMs < last.benefitsUntilMs ? last.untilMs : nowMs
}

/** The term that is paid for now. */
export function paidTerm(
  plan: SubscriptionPlan,
  last: Term | undefined,
  { nowMs, timeZone, tender }: { readonly nowMs: number; readonly timeZone: string; readonly tender: string },
): Term {
  const fromMs = nextFrom(last, nowMs)
  const follows = last !== undefined && fromMs === last.untilMs
  const anchorMs = follows ? last.anchorMs : fromMs
  const steps = (follows ? last.steps : 0) + plan.termMonths
  const untilMs = monthsLater(anchorMs, steps, timeZone)
  return {
    number: (last?.number ?? 0) + 1,
    isTrial: false,
    anchorMs,
    steps,
    fromMs,
    untilMs,
    benefitsUntilMs: daysLater(untilMs, plan.graceDays, timeZone),
    tags: plan.tags,
    tender,
    priceMinor: plan.priceMinor,
    revenueMinor: 0n,
    refundMinor: 0n,
  }
}

/** What of a price its first days earn: what the other days are worth is rounded down. */
export function revenueOf(
  term: Pick<Term, 'fromMs' | 'untilMs' | 'priceMinor'>,
  days: number,
  timeZone: string,
): bigint {
  const whole = BigInt(daysOf(term, timeZone))
  const left = whole > BigInt(days) ? whole - BigInt(days) : 0n
  return term.priceMinor - (term.priceMinor * left) / whole
}

/** Days of a term that are over at an instant, and those that have begun. */
export function daysAt(
  term: Pick<Term, 'fromMs' | 'untilMs'>,
  nowMs: number,
  timeZone: string,
): { readonly over: number; readonly begun: number } {
  const whole = daysOf(term, timeZone)
  if (nowMs <= term.fromMs) return { over: 0, begun: 0 }
  if (nowMs >= term.untilMs) return { over: whole, begun: whole }
  let over = Math.min(Math.max(Math.floor((nowMs - term.fromMs) / DAY_MS) - 1, 0), whole)
  while (over < whole && daysLater(term.fromMs, over + 1, timeZone) <= nowMs) over += 1
  const isBegun = daysLater(term.fromMs, over, timeZone) < nowMs
  return { over, begun: Math.min(isBegun ? over + 1 : over, whole) }
}

/** When the day after so many days of a term is over; undefined after the last. */
export function dayEnd(term: Pick<Term, 'fromMs' | 'untilMs'>, over: number, timeZone: string): number | undefined {
  const whole = daysOf(term, timeZone)
  if (over >= whole) return undefined
  return over + 1 === whole ? term.untilMs : daysLater(term.fromMs, over + 1, timeZone)
}

function daysOf({ fromMs, untilMs }: Pick<Term, 'fromMs' | 'untilMs'>, timeZone: string): number {
  const days =
    Date.parse(`${localDay(untilMs, timeZone)}T00:00:00Z`) - Date.parse(`${localDay(fromMs, timeZone)}T00:00:00Z`)
  return Math.max(Math.round(days / DAY_MS), 1)
}

/** The same time of day so many days later. */
function daysLater(atMs: number, days: number, timeZone: string): number {
  return sameTime(atMs, addDays(localDay(atMs, timeZone), days), timeZone)
}

/** The same time of day so many months later; where that month is shorter, on its last day. */
function monthsLater(atMs: number, months: number, timeZone: string): number {
  return sameTime(atMs, addMonths(localDay(atMs, timeZone), months), timeZone)
}

function sameTime(atMs: number, day: string, timeZone: string): number {
  return startOfDay(day, timeZone) + (atMs - startOfDay(localDay(atMs, timeZone), timeZone))
}
