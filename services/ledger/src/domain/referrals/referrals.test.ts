import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { countedTouch } from './attribution.ts'
import { isCapped, reviewReasons } from './guards.ts'
import type { ReferralProgramme } from './programme.ts'
import { closeMonth, isInTerm } from './recurring.ts'
import { heldFor, type Referral, type SaleFacts, stepOf } from './referral.ts'

const DAY_MS = 86_400_000
const ZONE = 'Europe/Berlin'
const bought = Date.parse('2026-11-20T11:00:00Z')

const rules: ReferralProgramme = {
  version: 1,
  advocate: { kind: 'points', points: 300n, liveDays: 0 },
  referee: undefined,
  welcomeCampaignId: '',
  leastPurchaseMinor: 1_000n,
  returnDays: 14,
  attributionDays: 30,
  touch: 'last',
  purchaseDays: 60,
  caps: { day: undefined, month: undefined, lifetime: undefined },
  hourlyReview: undefined,
  sameTillMinutes: 0,
  recurring: undefined,
}

const open: Referral = {
  brand: 'demo',
  referralId: 'referral',
  advocateId: 'ann',
  refereeId: 'bob',
  version: 1,
  attributedAtMs: bought - DAY_MS,
  state: 'open',
  review: 'none',
  reviewReasons: [],
  purchase: undefined,
}
const sale: SaleFacts = { receiptId: 'sale', occurredAtMs: bought, keptMinor: 1_000n }
const step = (referral: Referral, facts: Partial<SaleFacts>, more: Partial<ReferralProgramme> = {}) =>
  stepOf(referral, { ...sale, ...facts }, { ...rules, ...more }, ZONE)

describe('c15: which touch counts', () => {
  const touches = [5, 20, 40].map((days) => ({ advocateId: `${days} days ago`, touchedAtMs: bought - days * DAY_MS }))
  const cases: readonly (readonly [
    name: string,
    touch: 'first' | 'last',
    days: number,
    counted: string | undefined,
  ])[] = [
    ['the last one by default', 'last', 30, '5 days ago'],
    ['the first one that is young enough, where the programme says so', 'first', 30, '20 days ago'],
    ['none once the window has passed', 'last', 5, undefined],
    ['one of the last instant of the window', 'last', 6, '5 days ago'],
  ]
  for (const [name, touch, attributionDays, counted] of cases) {
    test(name, () => assert.equal(countedTouch(touches, { touch, attributionDays }, bought)?.advocateId, counted))
  }
})

describe('c15: a purchase qualifies, a sign-up does not', () => {
  test('the first purchase that is big enough, and the window ends with the day', () => {
    const windowEndsAtMs = Date.parse('2026-12-04T23:00:00Z')
    const purchase = { receiptId: 'sale', purchasedAtMs: bought, windowEndsAtMs }
    assert.deepEqual(step(open, {}), { kind: 'qualify', purchase })
    assert.deepEqual(step(open, {}, { returnDays: 0 }), {
      kind: 'qualify',
      purchase: { ...purchase, windowEndsAtMs: bought },
    })
  })
  const nothing: readonly (readonly [name: string, referral: Partial<Referral>, facts: Partial<SaleFacts>])[] = [
    ['one that is too small', {}, { keptMinor: 999n }],
    ['one of before the attribution', {}, { occurredAtMs: open.attributedAtMs - 1 }],
    ['one of a referral that was cancelled', { state: 'cancelled' }, {}],
    ['a second one', { state: 'qualified', purchase: { receiptId: 'other', purchasedAtMs: 0, windowEndsAtMs: 0 } }, {}],
  ]
  for (const [name, referral, facts] of nothing) {
    test(`not ${name}`, () => assert.deepEqual(step({ ...open, ...referral }, facts), { kind: 'nothing' }))
  }
  test('not one that comes too late: the referral is over', () => {
    const late = { occurredAtMs: open.attributedAtMs + 60 * DAY_MS }
    assert.deepEqual(step(open, late), { kind: 'expire' })
    assert.equal(step(open, late, { purchaseDays: 0 }).kind, 'qualify')
  })
  test('too little is left of it after returns: all is taken back', () => {
    const purchase = { receiptId: 'sale', purchasedAtMs: bought, windowEndsAtMs: bought }
    const qualified: Referral = { ...open, state: 'qualified', purchase }
    assert.deepEqual(step(qualified, { keptMinor: 999n }), { kind: 'cancel' })
    assert.deepEqual(step(qualified, { keptMinor: 1_000n }), { kind: 'nothing' })
    assert.deepEqual(step(qualified, { keptMinor: 0n, receiptId: 'other' }), { kind: 'nothing' })
    assert.deepEqual(step(qualified, { keptMinor: 0n }, { leastPurchaseMinor: 0n }), { kind: 'cancel' })
  })
})

describe('c15: guards', () => {
  const calm = { sharedWithAdvocate: [], sharedWithReferees: [], inLastHour: 2n }
  test('a person looks where two members seem to be one, or come too fast', () => {
    assert.deepEqual(reviewReasons(calm, { hourlyReview: 3n }), [])
    assert.deepEqual(reviewReasons({ ...calm, inLastHour: 3n }, { hourlyReview: 3n }), ['velocity'])
    assert.deepEqual(reviewReasons({ ...calm, inLastHour: 99n }, { hourlyReview: undefined }), [])
    const shared = { sharedWithAdvocate: ['phone'], sharedWithReferees: ['device'], inLastHour: 0n }
    assert.deepEqual(reviewReasons(shared, { hourlyReview: undefined }), ['shared_phone', 'returning_device'])
  })
  test('what a person has decided stays decided', () => {
    assert.equal(heldFor(open, 'same_till').review, 'waiting')
    assert.equal(heldFor({ ...open, review: 'approved' }, 'same_till').review, 'approved')
  })
  test('an advocate has so many rewards a day, a month and ever', () => {
    const had = { day: 1n, month: 5n, lifetime: 9n }
    const none = { day: undefined, month: undefined, lifetime: undefined }
    assert.equal(isCapped(had, none), false)
    assert.equal(isCapped(had, { ...none, day: 2n }), false)
    assert.equal(isCapped(had, { ...none, day: 1n }), true)
    assert.equal(isCapped(had, { ...none, month: 5n }), true)
    assert.equal(isCapped(had, { ...none, lifetime: 9n }), true)
  })
})

describe('c21.16: recurring, 20 % to a cap of 2,500', () => {
  const rule = { basisPoints: 2_000n, monthlyCapMinor: 2_500n }
  const months: readonly (readonly [name: string, net: bigint, carry: bigint, reward: bigint, carried: bigint])[] = [
    ['10,000 and 4,000 give 2,500: what is above the cap is lost', 14_000n, 0n, 2_500n, 0n],
    ['6,000 less 2,000 give 800', 4_000n, 0n, 800n, 0n],
    ['1,000 less 3,000 give nothing and carry -2,000', -2_000n, 0n, 0n, -2_000n],
    ['then 5,000 give 600', 5_000n, -2_000n, 600n, 0n],
    ['a second month below zero carries both', -500n, -2_000n, 0n, -2_500n],
  ]
  for (const [name, net, carry, rewardMinor, carryMinor] of months) {
    test(name, () => assert.deepEqual(closeMonth(net, carry, rule), { rewardMinor, carryMinor }))
  }
  test('without a cap nothing is lost', () => {
    assert.equal(closeMonth(14_000n, 0n, { ...rule, monthlyCapMinor: undefined }).rewardMinor, 2_800n)
  })
  test('the term runs from the first purchase, in months of the calendar', () => {
    const purchase = Date.parse('2026-01-31T12:00:00Z')
    assert.equal(isInTerm({ termMonths: 1 }, purchase, '2026-02-27', ZONE), true)
    assert.equal(isInTerm({ termMonths: 1 }, purchase, '2026-02-28', ZONE), false)
    assert.equal(isInTerm({ termMonths: 1 }, purchase, '2026-01-30', ZONE), false)
  })
})
