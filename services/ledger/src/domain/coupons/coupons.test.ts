import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type DiscountEffect, discountOf } from '../discounts/effects.ts'
import { sum } from '../shares.ts'
import { CODE_RANDOM_CHARACTERS, codeOf, isOwnCode, normalizeCode } from './codes.ts'
import { type Coupon, type CouponCampaign, couponDiscount, refusalOf, stateAfter } from './coupon.ts'
import { MissLimiter } from './miss-limiter.ts'

const codes = fc.uint8Array({ minLength: CODE_RANDOM_CHARACTERS, maxLength: CODE_RANDOM_CHARACTERS }).map(codeOf)

describe('a code', () => {
  test('has 65 random bits and no characters that look alike', () => {
    fc.assert(fc.property(codes, (code) => /^[0-9A-HJKMNP-TV-Z]{14}$/.test(code) && isOwnCode(code)))
  })
  test('is not another one with a wrong character', () => {
    fc.assert(
      fc.property(codes, fc.nat(13), fc.constantFrom(...'0123456789ABCDEFGHJKMNPQRSTVWXYZ'), (code, at, other) => {
        const wrong = code.slice(0, at) + other + code.slice(at + 1)
        assert.equal(isOwnCode(wrong), wrong === code)
      }),
      { numRuns: 2_000 },
    )
  })
  test('is not another one with two characters exchanged', () => {
    fc.assert(
      fc.property(codes, fc.nat(13), fc.nat(13), (code, left, right) => {
        const exchanged = [...code]
        exchanged[left] = code[right] ?? ''
        exchanged[right] = code[left] ?? ''
        assert.equal(isOwnCode(exchanged.join('')), exchanged.join('') === code)
      }),
      { numRuns: 2_000 },
    )
  })
  test('is read in whatever way it was written', () => {
    assert.equal(normalizeCode(' oOiL-ab uv'), '0011ABVV')
  })
})

const line = (amountMinor: bigint, quantity = 1n) => ({ quantity, amountMinor })
const sets = (take: number, pay: number, basisPoints = 10_000n, setsMax = 100): DiscountEffect => {
  return { kind: 'sets', take, pay, basisPoints, setsMax }
}

const effects: readonly (readonly [string, DiscountEffect, ReturnType<typeof line>[], readonly bigint[]])[] = [
  [
    '7 % of 999.99 + 500.00 is 104.99 = 69.99 + 35.00',
    { kind: 'percent', basisPoints: 700n },
    [line(99_999n), line(50_000n)],
    [6_999n, 3_500n],
  ],
  [
    'an amount is not more than the price',
    { kind: 'amount', minor: 50_000n },
    [line(30_000n), line(10_000n)],
    [30_000n, 10_000n],
  ],
  ['500 off 3,990', { kind: 'amount', minor: 50_000n }, [line(399_000n)], [50_000n]],
  ['the cheapest piece for nothing', { kind: 'free', pieces: 1n }, [line(60_000n, 2n), line(18_000n)], [0n, 18_000n]],
  [
    '3 for 2: 300, 250, 200 are charged 80.00 of discount, 66.67 and 53.33',
    sets(3, 2),
    [line(30_000n), line(25_000n), line(20_000n)],
    [8_000n, 6_667n, 5_333n],
  ],
  [
    'the second at half: 1,000 + 600 is 812.50 + 487.50',
    sets(2, 1, 5_000n),
    [line(100_000n), line(60_000n)],
    [18_750n, 11_250n],
  ],
  [
    'pairs from the dearest down: 400, 300, 200, 100 is 800',
    sets(2, 1, 5_000n),
    [line(10_000n), line(40_000n), line(30_000n), line(20_000n)],
    [0n, 0n, 0n, 0n],
  ],
  ['what makes no set pays in full', sets(3, 2), [line(30_000n), line(25_000n)], [0n, 0n]],
  ['no more sets than allowed', sets(2, 1, 10_000n, 1), [line(40_000n, 4n)], [10_000n]],
  [
    'a price of its own, where it is lower',
    { kind: 'price', minor: 14_000n },
    [line(40_000n, 2n), line(10_000n)],
    [12_000n, 0n],
  ],
]

for (const [name, effect, lines, expected] of effects) {
  test(`discount: ${name}`, () => {
    const parts = discountOf(effect, lines)
    if (name.startsWith('pairs')) assert.equal(sum(lines.map((one) => one.amountMinor)) - sum(parts), 80_000n)
    else assert.deepEqual(parts, expected)
  })
}

test('no line costs less than nothing, and the parts are the whole, whatever the effect', () => {
  const lines = fc.array(
    fc.record({ quantity: fc.bigInt({ min: 1n, max: 9n }), amountMinor: fc.bigInt({ min: 0n, max: 99_999n }) }),
    { minLength: 1, maxLength: 6 },
  )
  const anyEffect: fc.Arbitrary<DiscountEffect> = fc.oneof(
    fc.record({ kind: fc.constant('percent' as const), basisPoints: fc.bigInt({ min: 1n, max: 10_000n }) }),
    fc.record({ kind: fc.constant('amount' as const), minor: fc.bigInt({ min: 1n, max: 99_999n }) }),
    fc.record({ kind: fc.constant('free' as const), pieces: fc.bigInt({ min: 1n, max: 9n }) }),
    fc.record({ kind: fc.constant('price' as const), minor: fc.bigInt({ min: 0n, max: 9_999n }) }),
    fc.integer({ min: 2, max: 5 }).map((take) => sets(take, 1)),
  )
  fc.assert(
    fc.property(anyEffect, lines, (effect, basket) => {
      const parts = discountOf(effect, basket)
      basket.forEach(({ amountMinor }, index) => {
        const part = parts[index] ?? -1n
        assert(part >= 0n && part <= amountMinor)
      })
    }),
  )
})

const campaign: CouponCampaign = {
  campaignId: 'spring',
  effect: { kind: 'percent', basisPoints: 1_000n },
  goods: { skus: new Set(['a']), categories: new Set() },
  stores: new Set(['s1']),
  leastReceiptMinor: 1_000n,
  fromMs: 100,
  untilMs: 1_000,
  validDays: 0,
  usesPerCode: 2n,
  usesPerMember: undefined,
  budget: { uses: undefined, moneyMinor: undefined, storeDayUses: undefined },
  funder: '',
}
const coupon: Coupon = {
  couponId: 'c',
  campaignId: 'spring',
  code: 'X',
  memberId: 'ann',
  state: 'assigned',
  uses: 0n,
  validUntilMs: 900,
  graceUntilMs: 0,
  lockedBy: '',
  lockedUntilMs: 0,
}
const use = { memberId: 'ann', storeId: 's1', reference: 'r', nowMs: 500 }

const refusals: readonly (readonly [string, Partial<Coupon>, Partial<typeof use>, string | undefined])[] = [
  ['by its member, in its store, in its time', {}, {}, undefined],
  ['not by another member, and that is all they learn', {}, { memberId: 'bob' }, 'invalid'],
  ['by anybody when it is nobody’s', { memberId: undefined }, { memberId: 'bob' }, undefined],
  ['not when it is void', { state: 'voided' }, {}, 'invalid'],
  ['not when all uses are used', { uses: 2n }, {}, 'used'],
  ['a second time as long as one is left', { uses: 1n, state: 'partly_redeemed' }, {}, undefined],
  ['not before the campaign', {}, { nowMs: 99 }, 'not_yet'],
  ['not from its own end on', {}, { nowMs: 900 }, 'expired'],
  ['not from the campaign’s end on', { validUntilMs: 5_000 }, { nowMs: 1_000 }, 'expired'],
  ['after that when a use was undone meanwhile', { graceUntilMs: 2_000 }, { nowMs: 1_999 }, undefined],
  ['not in another store', {}, { storeId: 's2' }, 'other_store'],
  ['not while another basket has it', { lockedBy: 'q', lockedUntilMs: 501 }, {}, 'reserved'],
  ['by the basket that has it', { lockedBy: 'r', lockedUntilMs: 501 }, {}, undefined],
  ['by anybody once the reservation has ended', { lockedBy: 'q', lockedUntilMs: 500 }, {}, undefined],
]

for (const [name, own, by, expected] of refusals) {
  test(`a coupon is used ${name}`, () => {
    assert.equal(refusalOf({ ...coupon, ...own }, campaign, { ...use, ...by }), expected)
  })
}

test('a coupon takes off its goods only, and nothing of a basket that is too small', () => {
  const basket = (minor: bigint) => [
    { sku: 'a', category: '', quantity: 1n, amountMinor: minor },
    { sku: 'b', category: '', quantity: 1n, amountMinor: minor },
  ]
  assert.deepEqual(couponDiscount(campaign, basket(500n)), [50n, 0n])
  assert.deepEqual(couponDiscount(campaign, basket(499n)), [0n, 0n])
})

test('the state follows the uses', () => {
  assert.deepEqual(
    [0n, 1n, 2n].map((uses) => stateAfter(coupon, uses, 2n)),
    ['assigned', 'partly_redeemed', 'redeemed'],
  )
  assert.equal(stateAfter({ memberId: undefined }, 0n, 1n), 'generated')
})

test('ten wrong codes in a minute are enough, for whoever and wherever they were tried', () => {
  const limiter = new MissLimiter()
  for (let count = 0; count < 10; count += 1) {
    assert.equal(limiter.isExhausted(['member ann', 'till 7'], 0), false)
    limiter.miss(['member ann', `till ${count}`], count)
  }
  assert.equal(limiter.isExhausted(['member ann', 'till 99'], 100), true)
  assert.equal(limiter.isExhausted(['member bob', 'till 3'], 100), false)
  assert.equal(limiter.isExhausted(['member ann'], 60_000), false)
})
