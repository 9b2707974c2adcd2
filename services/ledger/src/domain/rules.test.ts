import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compareLots, emptyLot, type Lot } from './account.ts'
import { undiscounted } from './discounts/basket.ts'
import { chooseLots } from './draft.ts'
import { DAY_MS, Story, saleLine, spendableUntil, testProgramme } from './fixture.ts'
import type { LedgerAccount } from './posting.ts'
import { maxPointsForLines, priceLines } from './pricing.ts'
import type { EarnRule, Goods, Programme, SaleLine } from './programme.ts'
import type { SaleRecord } from './sale.ts'

const YEAR_MS = 365 * DAY_MS
const goods = (category: string): Goods => ({ skus: new Set(), categories: new Set([category]) })
const line = (amountMinor: bigint, category = ''): SaleLine => ({ ...saleLine(amountMinor), category })

function sell(story: Story, amountMinor: bigint, programme: Partial<Programme>, endsAtMs = YEAR_MS): SaleRecord {
  const decision = story.do({
    kind: 'sale',
    receiptId: story.newId(),
    storeId: 'store',
    occurredAtMs: story.nowMs,
    basket: undiscounted([saleLine(amountMinor)]),
    programme: { ...testProgramme, ...programme },
    holdId: '',
    pointsToPay: 0n,
    ...spendableUntil(endsAtMs),
  })
  assert(decision.outcome.kind === 'sale')
  return decision.outcome.sale
}

function giveBack(story: Story, sale: SaleRecord): void {
  const lines = [{ lineIndex: 0, quantity: 1n }]
  const common = { receiptId: story.newId(), occurredAtMs: story.nowMs, policies: testProgramme }
  story.do({ kind: 'return', sale, lines, graceExpiresAtMs: undefined, ...common })
}

test('c1: 16,777,217 points and 1,234,567.89 of money are kept to the unit', () => {
  const story = new Story()
  const [large] = sell(story, 16_777_217n, { earnBasisPoints: 10_000n }).lines
  assert.deepEqual([large?.earned, story.account.available], [16_777_217n, 16_777_217n])
  assert.equal(sell(story, 123_456_789n, { earnBasisPoints: 10_000n }).lines[0]?.amountMinor, 123_456_789n)
  assert.equal(story.account.available, 140_234_006n)
})

describe('c3: lots are drawn', () => {
  const lots = fc
    .uniqueArray(fc.nat(999), { minLength: 1, maxLength: 12 })
    .chain((ids) =>
      fc.tuple(
        ...ids.map((id) =>
          fc.record({ id: fc.constant(id), points: fc.bigInt(1n, 50n), ends: fc.nat(5), earned: fc.nat(3) }),
        ),
      ),
    )
    .map((drafts) => drafts.map(({ id, points, ends, earned }) => lotOf(`lot-${1_000 + id}`, points, ends, earned)))
  const lotOf = (lotId: string, points: bigint, ends: number, earnedAtMs: number): Lot => {
    const expiresAtMs = ends === 5 ? Number.POSITIVE_INFINITY : (ends + 1) * DAY_MS
    const term = { earnedAtMs, activatesAtMs: 0, expiresAtMs, causeId: 'c', funder: '', repayBasisPoints: 0n }
    return { ...emptyLot({ lotId, amount: points, ...term }), available: points }
  }

  test('first to end first: none is touched while one that ends earlier has points left', () => {
    fc.assert(
      fc.property(lots, fc.bigInt(1n, 300n), (all, points) => {
        const drawn = new Map(chooseLots(all, points).map((draw) => [draw.lotId, draw.points]))
        const touched = all.filter(({ lotId }) => drawn.has(lotId))
        const unfinished = all.filter(({ lotId, available }) => (drawn.get(lotId) ?? 0n) < available)
        for (const one of touched) {
          for (const other of unfinished) if (one !== other) assert(compareLots(one, other) < 0)
        }
      }),
    )
  })

  test('in an order that does not depend on how they came in, the same twice', () => {
    fc.assert(
      fc.property(lots, fc.bigInt(1n, 300n), (all, points) => {
        const draws = chooseLots(all, points)
        assert.deepEqual(chooseLots(all.toReversed(), points), draws)
        assert.deepEqual(chooseLots(all, points), draws)
      }),
    )
  })
})

test('c6: holds of two tills are together not more than there is', () => {
  const story = new Story()
  story.grant(100n, YEAR_MS)
  story.hold(60n, 'first till')
  const second = { kind: 'hold', holdId: 'second', reference: 'second till', expiresAtMs: DAY_MS } as const
  assert.deepEqual(story.try({ ...second, points: 41n }), { ok: false, reason: 'insufficient_points', available: 40n })
  story.do({ ...second, points: 40n })
  assert.deepEqual([story.account.available, story.account.held], [0n, 100n])
})

describe('c7: a receipt earns', () => {
  const twice: EarnRule = {
    ruleId: 'twice',
    goods: goods('bakery'),
    stores: new Set(),
    fromMs: Number.NEGATIVE_INFINITY,
    untilMs: Number.POSITIVE_INFINITY,
    effect: { kind: 'times', hundredths: 200n },
    limit: undefined,
    group: '',
  }
  const cases: Readonly<Record<string, readonly [Partial<Programme>, readonly SaleLine[], readonly bigint[]]>> = {
    'first the base at the rate of the tier': [{}, [line(10_000n)], [750n]],
    'then what a campaign gives on top, of the base at the rate of the tier': [
      { earnRules: [twice] },
      [line(10_000n, 'bakery'), line(10_000n)],
      [1_500n, 750n],
    ],
    'then the campaign’s limit': [
      { earnRules: [{ ...twice, limit: 100n }] },
      [line(10_000n, 'bakery'), line(10_000n)],
      [850n, 750n],
    ],
    'then the receipt’s limit, over what is left of the campaign': [
      { earnRules: [{ ...twice, limit: 100n }], earnLimit: 800n },
      [line(10_000n, 'bakery'), line(10_000n)],
      [425n, 375n],
    ],
    'and is rounded down once at the end: 3 x 2.925 are 8': [{}, [line(39n), line(39n), line(39n)], [3n, 3n, 2n]],
  }
  for (const [name, [rules, lines, points]] of Object.entries(cases)) {
    test(name, () => {
      const place = { storeId: 'store', atMs: 0, tierHundredths: 150n }
      const priced = priceLines(undiscounted(lines), { ...testProgramme, ...rules }, 0n, place)
      assert.deepEqual(
        priced.lines.map(({ earned }) => earned),
        points,
      )
    })
  }
})

describe('c8: points pay', () => {
  const half = { maxPayBasisPoints: 5_000n }
  const cases: Readonly<
    Record<string, readonly [Partial<Programme>, readonly SaleLine[], available: bigint | undefined, most: bigint]>
  > = {
    'half of an item of 7,999: 3,999': [half, [line(7_999n)], undefined, 3_999n],
    'half of each line, each rounded down': [half, [line(3n), line(3n), line(3n)], undefined, 3n],
    'nothing of excluded goods': [
      { neverPaid: goods('tobacco') },
      [line(500n, 'tobacco'), line(300n)],
      undefined,
      300n,
    ],
    'no more than the member has': [{}, [line(500n)], 120n, 120n],
    'in whole steps: of 2,550 points at 100 each 2,500 pay, 50 stay': [
      { payStep: 100n },
      [line(9_000n)],
      2_550n,
      2_500n,
    ],
    'not at all where fewer than the least would': [{ payLeastPoints: 200n }, [line(500n)], 199n, 0n],
    'not at all below the least receipt': [{ payLeastReceiptMinor: 1_000n }, [line(999n)], undefined, 0n],
    'by what a point is worth': [{ pointValueMinor: 100n }, [line(399n), line(200n)], undefined, 5n],
  }
  for (const [name, [rules, lines, available, most]] of Object.entries(cases)) {
    test(name, () => assert.equal(maxPointsForLines(lines, { ...testProgramme, ...rules }, available), most))
  }
})

test('c11: lots end as ever while the member owes', () => {
  const story = new Story()
  story.grant(30n, 2 * DAY_MS)
  const revoke = { kind: 'revoke', revokeId: 'r', occurredAtMs: 0, grantId: undefined, against: 'issued' } as const
  story.do({ ...revoke, points: 50n, mayMakeDebt: true })
  story.do({
    kind: 'grant',
    grantId: 'g',
    points: 40n,
    occurredAtMs: 0,
    earnedTerm: { activatesAtMs: 0, expiresAtMs: 2 * DAY_MS },
    funder: '',
    repayBasisPoints: 5_000n,
    against: 'issued',
  })
  assert.deepEqual([story.account.debt, story.account.available], [0n, 20n])
  story.do({ ...revoke, revokeId: 's', points: 25n, mayMakeDebt: true })
  story.nowMs = 2 * DAY_MS
  story.do({ kind: 'settle' })
  assert.deepEqual([story.account.debt, story.account.available], [5n, 0n])
})

test('c21.2: 20 back is a debt of 100; the next 30 earn 150: 100 repay it, 50 are there', () => {
  const story = new Story()
  const fiveOfHundred = { earnBasisPoints: 500n }
  assert.equal(sell(new Story(), 1_999n, fiveOfHundred).lines[0]?.earned, 99n)
  const sale = sell(story, 2_000n, fiveOfHundred)
  story.spend(100n)
  giveBack(story, sale)
  assert.equal(story.account.debt, 100n)
  sell(story, 3_000n, fiveOfHundred)
  assert.deepEqual([story.account.debt, story.account.available], [0n, 50n])
})

test('c21.17: 500 earned in a programme that ends, 180 spent: 320 burn at its end', () => {
  const story = new Story()
  const books = new Map<LedgerAccount, bigint>()
  const endsAtMs = 100 * DAY_MS
  story.grant(500n, endsAtMs)
  story.nowMs = 50 * DAY_MS
  story.spend(180n)
  story.nowMs = endsAtMs
  const { postings } = story.do({ kind: 'settle' })
  for (const { account, amount } of postings.flatMap(({ entries }) => entries)) books.set(account, amount)
  assert.deepEqual(
    books,
    new Map([
      ['available', -320n],
      ['expired', 320n],
    ]),
  )
  assert.equal(postings[0]?.occurredAtMs, endsAtMs)
})
