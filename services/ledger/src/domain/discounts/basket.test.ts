import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { sum } from '../shares.ts'
import { type DiscountLimits, discountBasket, type ShownCoupon } from './basket.ts'
import type { DiscountEffect } from './effects.ts'
import type { PricesAt } from './member-prices.ts'
import type { DiscountFacts, DiscountRule } from './rules.ts'

const rule = (ruleId: string, effect: DiscountEffect, more: Partial<DiscountRule> = {}): DiscountRule => ({
  ruleId,
  phase: 'item',
  effect,
  decay: undefined,
  goods: undefined,
  needs: undefined,
  stores: new Set(),
  fromMs: Number.NEGATIVE_INFINITY,
  untilMs: Number.POSITIVE_INFINITY,
  tiers: new Set(),
  tags: new Set(),
  tender: '',
  spent: undefined,
  leastReceiptMinor: 0n,
  limitMinor: undefined,
  group: '',
  isExclusive: false,
  funder: '',
  ...more,
})
const percent = (basisPoints: bigint): DiscountEffect => ({ kind: 'percent', basisPoints })
const noLimits: DiscountLimits = { receiptBasisPoints: 10_000n, lineLeastBasisPoints: 0n }
const facts: DiscountFacts = {
  storeId: 's1',
  atMs: Date.parse('2026-06-10T12:00:00Z'),
  timeZone: 'Europe/Moscow',
  tierId: undefined,
  tags: new Set(),
  tender: '',
  spentMinor: () => 0n,
}
const goods = (...skus: string[]) => ({ skus: new Set(skus), categories: new Set<string>() })
/** Lines a, b, c ... of one piece, in whole units. */
const basketOf = (...units: bigint[]) =>
  units.map((unit, index) => ({ sku: 'abcdefgh'[index] ?? '', category: '', quantity: 1n, amountMinor: unit * 100n }))

interface Given {
  readonly rules: readonly DiscountRule[]
  readonly facts?: Partial<DiscountFacts>
  readonly limits?: Partial<DiscountLimits>
  readonly coupons?: readonly ShownCoupon[]
  readonly prices?: PricesAt
}
const discount = (lines: ReturnType<typeof basketOf>, given: Given) =>
  discountBasket(
    lines,
    given.rules,
    { ...facts, ...given.facts },
    {
      coupons: given.coupons ?? [],
      cards: [],
      limits: { ...noLimits, ...given.limits },
      prices: given.prices,
    },
  )
const due = (...args: Parameters<typeof discount>) => sum(discount(...args).lines.map(({ amountMinor }) => amountMinor))
const outcomes = (...args: Parameters<typeof discount>) => discount(...args).steps.map(({ outcome }) => outcome)

describe('a rule holds', () => {
  const ten = percent(1_000n)
  const holds = (more: Partial<DiscountRule>, own: Partial<DiscountFacts> = {}) =>
    outcomes(basketOf(100n), { rules: [rule('r', ten, more)], facts: own })[0]
  test('in its time, half open', () => {
    const atMs = facts.atMs
    assert.deepEqual(
      [holds({ fromMs: atMs }), holds({ fromMs: atMs + 1 }), holds({ untilMs: atMs })],
      ['applied', 'not_now', 'not_now'],
    )
  })
  test('in its stores', () => assert.equal(holds({ stores: new Set(['s2']) }), 'other_store'))
  test('for its tiers', () => {
    assert.equal(holds({ tiers: new Set(['gold']) }), 'not_entitled')
    assert.equal(holds({ tiers: new Set(['gold']) }, { tierId: 'gold' }), 'applied')
  })
  test('for receipts with its tags', () => {
    assert.equal(holds({ tags: new Set(['birthday']) }), 'not_entitled')
    assert.equal(holds({ tags: new Set(['birthday', 'x']) }, { tags: new Set(['birthday']) }), 'applied')
  })
  test('for the tender that is declared', () => {
    assert.equal(holds({ tender: 'card' }, { tender: 'cash' }), 'not_entitled')
    assert.equal(holds({ tender: 'card' }, { tender: 'card' }), 'applied')
  })
  test('from its least basket on', () => {
    assert.deepEqual(
      [holds({ leastReceiptMinor: 10_000n }), holds({ leastReceiptMinor: 10_001n })],
      ['applied', 'no_basket'],
    )
  })
  test('for its goods', () => assert.equal(holds({ goods: goods('z') }), 'no_goods'))
})

test('lunch makes the coffee free: 450 + 180 pays 450', () => {
  const gift = rule(
    'gift',
    { kind: 'free', pieces: 1n },
    { goods: goods('b'), needs: { goods: goods('a'), pieces: 1n } },
  )
  assert.equal(due(basketOf(450n, 180n), { rules: [gift] }), 45_000n)
  const onlyCoffee = [{ sku: 'b', category: '', quantity: 1n, amountMinor: 18_000n }]
  assert.equal(due(onlyCoffee, { rules: [gift] }), 18_000n)
})

test('the more was bought, the larger the discount on the next purchase', () => {
  const rules = [
    rule('three', percent(300n), { group: 'ladder' }),
    rule('five', percent(500n), { group: 'ladder', spent: { fromMinor: 1_000_000n, months: 60 } }),
  ]
  const pays = (spent: bigint) => due(basketOf(2_000n), { rules, facts: { spentMinor: () => spent } })
  assert.deepEqual([pays(900_000n), pays(1_094_000n), pays(995_000n)], [194_000n, 190_000n, 194_000n])
})

test('25 % in the app for two weeks from 1 June: 2,000 is 1,500 on the 15th and 2,000 on the 16th', () => {
  const day = (text: string) => Date.parse(`${text}+03:00`)
  const rules = [
    rule('app', percent(2_500n), {
      tags: new Set(['app']),
      fromMs: day('2026-06-01T00:00'),
      untilMs: day('2026-06-16T00:00'),
    }),
  ]
  const pays = (text: string) => due(basketOf(2_000n), { rules, facts: { atMs: day(text), tags: new Set(['app']) } })
  assert.deepEqual([pays('2026-06-15T23:59'), pays('2026-06-16T00:00')], [150_000n, 200_000n])
})

test('c21.18: halved each week from 20 %, to 5 %: 1,000 costs 800 on day 6, 900 on 7, 950 on 14, 1,000 on 21', () => {
  const fromMs = Date.parse('2026-06-01T00:00+03:00')
  const decay = { stepDays: 7, factorBasisPoints: 5_000n, endBasisPoints: 500n }
  const rules = [rule('melting', percent(2_000n), { fromMs, decay })]
  const pays = (day: number) => due(basketOf(1_000n), { rules, facts: { atMs: fromMs + day * 86_400_000 + 1 } })
  assert.deepEqual([6, 7, 14, 21].map(pays), [80_000n, 90_000n, 95_000n, 100_000n])
})

test('a price of the member’s own set and a favourite are not added: the better one counts', () => {
  const rules = [
    rule('set', percent(2_000n), { group: 'personal', tags: new Set(['set']) }),
    rule('favourite', percent(3_000n), { group: 'personal', tags: new Set(['favourite']) }),
  ]
  assert.equal(due(basketOf(200n), { rules, facts: { tags: new Set(['set', 'favourite']) } }), 14_000n)
})

describe('stacking', () => {
  test('rules of one phase are each on the price at the shelf, those of the basket on what is left', () => {
    const rules = [
      rule('a', percent(1_000n)),
      rule('b', percent(1_000n)),
      rule('c', percent(1_000n), { phase: 'basket' }),
    ]
    assert.equal(due(basketOf(100n), { rules }), 7_200n)
  })
  test('of a group a line gets the best; equal ones go by their order', () => {
    const rules = ['a', 'b', 'c'].map((id, index) => rule(id, percent(index === 1 ? 2_000n : 1_000n), { group: 'g' }))
    assert.deepEqual(outcomes(basketOf(100n), { rules }), ['lesser', 'applied', 'lesser'])
  })
  test('an exclusive rule that gives more stands alone; one that gives less gives way', () => {
    const other = rule('other', percent(1_000n))
    const exclusive = (basisPoints: bigint) => rule('alone', percent(basisPoints), { isExclusive: true })
    assert.equal(due(basketOf(100n), { rules: [other, exclusive(2_000n)] }), 8_000n)
    assert.equal(due(basketOf(100n), { rules: [other, exclusive(500n)] }), 9_000n)
    assert.equal(
      due(basketOf(100n), { rules: [exclusive(1_000n), rule('two', percent(1_000n), { isExclusive: true })] }),
      9_000n,
    )
  })
  test('a rule takes no more than its limit', () => {
    assert.equal(due(basketOf(100n, 50n), { rules: [rule('a', percent(5_000n), { limitMinor: 1_000n })] }), 14_000n)
  })
  test('all of them take no more than the receipt allows, and leave each line its least', () => {
    const rules = [rule('a', percent(3_000n)), rule('b', percent(3_000n))]
    assert.equal(due(basketOf(100n), { rules, limits: { receiptBasisPoints: 4_000n } }), 6_000n)
    assert.equal(due(basketOf(100n, 1n), { rules, limits: { lineLeastBasisPoints: 5_000n } }), 5_050n)
    assert.deepEqual(outcomes(basketOf(100n), { rules, limits: { receiptBasisPoints: 3_000n } }), ['applied', 'limit'])
  })
  test('coupons come last, on what is left', () => {
    const coupon: ShownCoupon = {
      code: 'X',
      campaign: {
        campaignId: 'spring',
        effect: percent(1_000n),
        goods: undefined,
        stores: new Set(),
        leastReceiptMinor: 0n,
        fromMs: 0,
        untilMs: 0,
        validDays: 0,
        usesPerCode: 1n,
        usesPerMember: undefined,
        budget: { uses: undefined, moneyMinor: undefined, storeDayUses: undefined },
        funder: 'partner',
      },
    }
    const { lines, given } = discount(basketOf(100n), { rules: [rule('a', percent(1_000n))], coupons: [coupon] })
    assert.equal(lines[0]?.amountMinor, 8_100n)
    assert.deepEqual(
      given.map(({ sourceId, funder, parts }) => [sourceId, funder, parts]),
      [
        ['a', '', [1_000n]],
        ['coupon/spring', 'partner', [900n]],
      ],
    )
  })
})

test('no line goes below nothing, what is given is what is taken off, and the same basket gives the same result', () => {
  const effects: fc.Arbitrary<DiscountEffect> = fc.oneof(
    fc.bigInt({ min: 1n, max: 10_000n }).map(percent),
    fc.bigInt({ min: 1n, max: 50_000n }).map((minor) => ({ kind: 'amount' as const, minor })),
    fc.constant({ kind: 'sets' as const, take: 3, pay: 2, basisPoints: 10_000n, setsMax: 9 }),
  )
  const rules = fc.array(
    fc.record({
      effect: effects,
      phase: fc.constantFrom('item' as const, 'basket' as const),
      group: fc.constantFrom('', 'g', 'h'),
      isExclusive: fc.boolean(),
      goods: fc.constantFrom(undefined, goods('a'), goods('a', 'b')),
    }),
    { maxLength: 6 },
  )
  const units = fc.array(fc.bigInt({ min: 0n, max: 900n }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(rules, units, (own, prices) => {
      const given = { rules: own.map(({ effect, ...more }, index) => rule(`r${index}`, effect, more)) }
      const basket = basketOf(...prices)
      const result = discount(basket, given)
      result.lines.forEach(({ amountMinor }, index) => {
        assert(amountMinor >= 0n)
        const taken = sum(result.given.map(({ parts }) => parts[index] ?? 0n))
        assert.equal(amountMinor + taken, basket[index]?.amountMinor)
      })
      assert.deepEqual(discount(basket, given), result)
    }),
    { numRuns: 500 },
  )
})
