import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sum } from '../shares.ts'
import { discountBasket } from './basket.ts'
import {
  favouriteRefusal,
  type MemberPrice,
  type PriceSetRules,
  priceEnd,
  pricesAt,
  unitsUsed,
} from './member-prices.ts'
import type { DiscountFacts, DiscountRule } from './rules.ts'

const timeZone = 'Europe/Moscow'
const at = (text: string) => Date.parse(`${text}+03:00`)
const none = new Set<string>()
const rules: PriceSetRules = {
  setLiveDays: 5,
  setProductsMax: 6,
  favouriteBasisPoints: 3_000,
  favouriteLiveDays: 10,
  excluded: { skus: none, categories: none },
  unitsPerDay: 10n,
  funder: 'dairy',
}

function price(kind: MemberPrice['kind'], basisPoints: number, sku = 'milk'): MemberPrice {
  const [fromMs, untilMs] = [at('2026-06-01T09:00'), at('2026-06-11T00:00')]
  return { priceId: kind, kind, fromMs, untilMs, items: [{ sku, basisPoints }] }
}

const facts: DiscountFacts = {
  storeId: 's1',
  atMs: at('2026-06-02T12:00'),
  timeZone,
  tierId: undefined,
  tags: none,
  tender: '',
  spentMinor: () => 0n,
}
const limits = { receiptBasisPoints: 10_000n, lineLeastBasisPoints: 0n }
const promotion = (basisPoints: bigint): DiscountRule => ({
  ruleId: 'promotion',
  phase: 'item',
  effect: { kind: 'percent', basisPoints },
  decay: undefined,
  goods: undefined,
  needs: undefined,
  stores: none,
  fromMs: Number.NEGATIVE_INFINITY,
  untilMs: Number.POSITIVE_INFINITY,
  tiers: none,
  tags: none,
  tender: '',
  spent: undefined,
  leastReceiptMinor: 0n,
  limitMinor: undefined,
  group: '',
  isExclusive: false,
  funder: '',
})
const milk = (quantity: bigint, amountMinor: bigint, more: object = {}) => {
  return { sku: 'milk', quantity, amountMinor, category: 'dairy', ...more }
}

interface Given {
  readonly prices: readonly MemberPrice[]
  readonly promotions?: readonly bigint[]
  readonly more?: Partial<PriceSetRules>
  readonly used?: bigint
  readonly lines?: readonly ReturnType<typeof milk>[]
  readonly atMs?: number
}

function discount({
  prices,
  promotions = [],
  more = {},
  used = 0n,
  lines = [milk(1n, 20_000n)],
  atMs = facts.atMs,
}: Given) {
  const own = pricesAt(prices, { ...rules, ...more }, atMs, () => used)
  const basket = { coupons: [], cards: [], limits, prices: own }
  return discountBasket(lines, promotions.map(promotion), { ...facts, atMs }, basket)
}

const due = (given: Given) => discount(given).lines.map(({ amountMinor }) => amountMinor)

const [set, favourite] = [price('set', 2_000), price('favourite', 3_000)]
const dear = milk(3n, 60_000n)

const figures: readonly (readonly [string, Given, readonly bigint[]])[] = [
  ['a SKU at 200 in the set at 20 % and favourite costs 140, not 112', { prices: [set, favourite] }, [14_000n]],
  ['in whatever order', { prices: [favourite, set] }, [14_000n]],
  ['only the set', { prices: [set] }, [16_000n]],
  ['a lesser promotion is left out', { prices: [favourite], promotions: [2_500n] }, [14_000n]],
  ['a better promotion stands alone', { prices: [favourite], promotions: [4_000n] }, [12_000n]],
  ['promotions that add up to more stand alone', { prices: [favourite], promotions: [2_000n, 2_000n] }, [12_000n]],
  ['an equal promotion stays', { prices: [favourite], promotions: [3_000n] }, [14_000n]],
  ['other goods cost what they cost', { prices: [price('favourite', 3_000, 'tea')] }, [20_000n]],
  [
    'an excluded SKU has no such price',
    { prices: [favourite], more: { excluded: { skus: new Set(['milk']), categories: none } } },
    [20_000n],
  ],
  [
    'nor has an excluded category',
    { prices: [favourite], more: { excluded: { skus: none, categories: new Set(['dairy']) } } },
    [20_000n],
  ],
  ['of 3 units 2 are left of the day', { prices: [favourite], used: 8n, lines: [dear] }, [48_000n]],
  [
    'the units above the cap keep their promotion',
    { prices: [favourite], used: 8n, lines: [dear], promotions: [1_000n] },
    [46_000n],
  ],
  ['no unit is left of the day', { prices: [favourite], used: 10n, lines: [dear] }, [60_000n]],
  ['more than the cap were used under other rules', { prices: [favourite], used: 12n, lines: [dear] }, [60_000n]],
  [
    'without a cap all units have the price',
    { prices: [favourite], used: 99n, lines: [dear], more: { unitsPerDay: undefined } },
    [42_000n],
  ],
  [
    'lines of one SKU share its day',
    { prices: [favourite], used: 7n, lines: [milk(2n, 40_000n), milk(2n, 40_000n)] },
    [28_000n, 34_000n],
  ],
  ['not before its first instant', { prices: [favourite], atMs: at('2026-06-01T08:59:59') }, [20_000n]],
  ['through its last day', { prices: [favourite], atMs: at('2026-06-10T23:59:59') }, [14_000n]],
  ['not from its end on', { prices: [favourite], atMs: at('2026-06-11T00:00') }, [20_000n]],
]

test('c21.14: each unit gets the best of set, favourite and promotion, never two of them, up to the cap', () => {
  for (const [rule, given, expected] of figures) assert.deepEqual(due(given), expected, rule)
})

test('c21.14: whatever the rules, no unit gets two discounts, and none less than the best', () => {
  const cases = fc.record({
    quantity: fc.bigInt(1n, 20n),
    unit: fc.bigInt(0n, 5_000n),
    used: fc.bigInt(0n, 12n),
    own: fc.integer({ min: 1, max: 10_000 }),
    promoted: fc.bigInt(0n, 10_000n),
  })
  fc.assert(
    fc.property(cases, ({ quantity, unit, used, own, promoted }) => {
      const lines = [milk(quantity, quantity * unit)]
      const basket = discount({ prices: [price('favourite', own)], promotions: [promoted], used, lines })
      const left = used < 10n ? 10n - used : 0n
      const units = BigInt(own) > promoted ? (quantity < left ? quantity : left) : 0n
      const exact = unit * (units * BigInt(own) + (quantity - units) * promoted)
      const given = sum(basket.discounts) * 10_000n
      // Each of the two discounts, and the part of the promotion that is kept, is rounded down.
      assert(given <= exact && given > exact - 30_000n, `${given} instead of ${exact}`)
    }),
  )
})

test('c21.14: why there was no such price is told', () => {
  const told = (given: Given) =>
    discount(given).steps.map(({ sourceId, outcome, minor }) => `${sourceId} ${outcome} ${minor}`)
  assert.deepEqual(told({ prices: [set, favourite] }), ['price/favourite applied 6000'])
  assert.deepEqual(told({ prices: [set], promotions: [3_000n] }), ['promotion applied 6000', 'price/set lesser 0'])
  assert.deepEqual(told({ prices: [set], promotions: [1_000n] }), ['promotion lesser 0', 'price/set applied 4000'])
  assert.deepEqual(told({ prices: [favourite], promotions: [3_000n] }), [
    'promotion applied 6000',
    'price/favourite lesser 0',
  ])
  assert.deepEqual(told({ prices: [favourite], used: 10n }), ['price/favourite limit 0'])
  assert.equal(discount({ prices: [set] }).given[0]?.funder, 'dairy')
})

test('c21.14: terms tile: the day of the grant is day one', () => {
  const setEnd = priceEnd(at('2026-06-01T09:00'), 5, timeZone)
  assert.equal(setEnd, at('2026-06-06T00:00'), 'a 5-day set of 1 June lives through 5 June')
  assert.equal(priceEnd(setEnd, 5, timeZone), at('2026-06-11T00:00'), 'the next is that of 6 June')
  assert.equal(priceEnd(at('2026-06-01T09:00'), 10, timeZone), at('2026-06-11T00:00'), 'a favourite through 10 June')
})

const choices: readonly (readonly [string, string, string, string | undefined])[] = [
  ['another one on the day of the choice', 'tea', '2026-06-01T18:00', 'changed_today'],
  ['another one in the last second of it', 'tea', '2026-06-01T23:59:59', 'changed_today'],
  ['another one on the next day', 'tea', '2026-06-02T00:00', undefined],
  ['the same while it lives', 'milk', '2026-06-05T12:00', 'same'],
  ['the same once it has ended', 'milk', '2026-06-11T00:00', undefined],
]

test('c21.14: one choice per local day, and the same SKU is no choice', () => {
  for (const [rule, sku, nowText, refusal] of choices) {
    assert.equal(favouriteRefusal(favourite, sku, { nowMs: at(nowText), timeZone }), refusal, rule)
  }
  assert.equal(favouriteRefusal(undefined, 'milk', { nowMs: facts.atMs, timeZone }), undefined, 'the first choice')
})

test('c21.14: what comes back of a line makes room in its day, by its share', () => {
  const line = { lineIndex: 0, sku: 'milk', units: 2n, quantity: 3n }
  const used = [0n, 1n, 2n, 3n].map((returned) => unitsUsed([{ ...line, returned }], 'milk'))
  assert.deepEqual(used, [2n, 2n, 1n, 0n])
  assert.equal(unitsUsed([{ ...line, returned: 0n }], 'tea'), 0n)
})
