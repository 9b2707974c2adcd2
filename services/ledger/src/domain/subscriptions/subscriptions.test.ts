import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { planForTerm, type SubscriptionPlan } from './plan.ts'
import { dayEnd, daysAt, paidTerm, revenueOf, stateAt, type Term, tagsAt, trialTerm } from './subscription.ts'

const ZONE = 'Europe/Berlin'
const at = (text: string) => Date.parse(`${text}+01:00`)
const iso = (ms: number) => new Date(ms + 3_600_000).toISOString().slice(0, 16)

const plan: SubscriptionPlan = {
  planId: 'plus',
  version: 1,
  publishedAtMs: 0,
  priceMinor: 19_900n,
  termMonths: 1,
  trialDays: 7,
  graceDays: 3,
  tags: ['plus'],
  refundsDays: true,
  noticeDays: 30,
}
const pay = (last: Term | undefined, instant: string, more: Partial<SubscriptionPlan> = {}) =>
  paidTerm({ ...plan, ...more }, last, { nowMs: at(instant), timeZone: ZONE, tender: 'card' })

describe('c21.9: terms are exact instants', () => {
  const trial = trialTerm(plan, 1, at('2026-01-10T12:00'), ZONE)
  const first = pay(trial, '2026-01-17T11:00')
  test('7 days free from 10 January 12:00 to 17 January 12:00, then 199 to 17 February', () => {
    assert.deepEqual([iso(trial.fromMs), iso(trial.untilMs)], ['2026-01-10T12:00', '2026-01-17T12:00'])
    assert.deepEqual([iso(first.fromMs), iso(first.untilMs)], ['2026-01-17T12:00', '2026-02-17T12:00'])
    assert.equal(first.priceMinor, 19_900n)
  })
  test('failed on 17 February: benefits go on to 20 February 12:00', () => {
    assert.equal(iso(first.benefitsUntilMs), '2026-02-20T12:00')
    const states = ['2026-01-17T12:00', '2026-02-17T12:00', '2026-02-20T11:59', '2026-02-20T12:00'].map((instant) =>
      stateAt({ cancelledAtMs: undefined }, first, at(instant)),
    )
    assert.deepEqual(states, ['active', 'past_due', 'past_due', 'lapsed'])
  })
  test('paid on 19 February it is due on 17 March; paid on 25 February it is due on 25 March', () => {
    const kept = pay(first, '2026-02-19T09:00')
    assert.deepEqual([iso(kept.fromMs), iso(kept.untilMs)], ['2026-02-17T12:00', '2026-03-17T12:00'])
    const late = pay(first, '2026-02-25T09:00')
    assert.deepEqual([iso(late.fromMs), iso(late.untilMs)], ['2026-02-25T09:00', '2026-03-25T09:00'])
  })
  test('months step from the anchor: 31 January, 28 February, 31 March', () => {
    const january = pay(undefined, '2025-12-31T12:00')
    const february = pay(january, '2026-01-31T12:00')
    const march = pay(february, '2026-02-28T12:00')
    const ends = [january, february].map(({ untilMs }) => iso(untilMs))
    assert.deepEqual(ends, ['2026-01-31T12:00', '2026-02-28T12:00'])
    assert.equal(new Date(march.untilMs).toISOString(), '2026-03-31T10:00:00.000Z', 'noon in summer time')
  })
  test('a year is twelve months', () => {
    assert.equal(iso(pay(undefined, '2028-02-29T12:00', { termMonths: 12 }).untilMs), '2029-02-28T12:00')
  })
  test('a trial that nobody paid for has its grace, too, and then it is over', () => {
    const state = (instant: string) => stateAt({ cancelledAtMs: undefined }, trial, at(instant))
    assert.deepEqual([state('2026-01-17T11:59'), state('2026-01-17T12:00')], ['trial', 'past_due'])
    assert.equal(state('2026-01-20T12:00'), 'lapsed')
    assert.equal(stateAt({ cancelledAtMs: undefined }, undefined, 0), 'pending')
    assert.equal(stateAt({ cancelledAtMs: 1 }, trial, at('2026-01-11T00:00')), 'cancelled')
  })
  test('tags are there while benefits go on', () => {
    assert.deepEqual(tagsAt([trial, first], at('2026-02-20T11:59')), ['plus'])
    assert.deepEqual(tagsAt([trial, first], at('2026-02-20T12:00')), [])
    assert.deepEqual(tagsAt([trial, first], at('2026-01-10T11:59')), [])
  })
})

describe('c21.9: revenue by days', () => {
  const term = pay(undefined, '2026-01-17T12:00')
  test('on 27 January 12:00 10 of 31 days are used: 64.20 are revenue, 134.80 go back', () => {
    const { over, begun } = daysAt(term, at('2026-01-27T12:00'), ZONE)
    assert.deepEqual([over, begun], [10, 10])
    assert.equal(revenueOf(term, begun, ZONE), 6_420n)
    assert.equal(term.priceMinor - revenueOf(term, begun, ZONE), 13_480n)
  })
  test('a day that has begun is used, but it is revenue only when it is over', () => {
    assert.deepEqual(daysAt(term, at('2026-01-27T12:01'), ZONE), { over: 10, begun: 11 })
    assert.deepEqual(daysAt(term, at('2026-01-17T12:00'), ZONE), { over: 0, begun: 0 })
    assert.deepEqual(daysAt(term, at('2026-02-17T12:00'), ZONE), { over: 31, begun: 31 })
    assert.equal(revenueOf(term, 31, ZONE), 19_900n)
    assert.equal(revenueOf(term, 0, ZONE), 0n)
  })
  test('days are those of the calendar, also over a change of the clocks', () => {
    const march = pay(undefined, '2026-03-17T12:00')
    assert.equal(daysAt(march, march.untilMs - 1, ZONE).over, 30)
    const ends = Array.from({ length: 31 }, (_, over) => dayEnd(march, over, ZONE))
    assert.equal(ends.at(-1), march.untilMs)
    assert.ok(ends.every((end, index) => end !== undefined && (index === 0 || end > (ends[index - 1] ?? 0))))
    assert.equal(dayEnd(march, 31, ZONE), undefined)
  })
})

test('c21.9: a new price holds at once for new members, for others when its notice is over', () => {
  const day = 86_400_000
  const dearer: SubscriptionPlan = { ...plan, version: 2, publishedAtMs: 100 * day, priceMinor: 24_900n }
  const price = (startedAtMs: number, termFromMs: number) =>
    planForTerm([plan, dearer], { startedAtMs, termFromMs })?.priceMinor
  assert.equal(price(100 * day, 100 * day), 24_900n)
  assert.equal(price(50 * day, 129 * day), 19_900n)
  assert.equal(price(50 * day, 130 * day), 24_900n)
})
