import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CouponCampaign, type DeepPartial } from '@stampede/proto/coupons/v1'
import { QuoteReceiptRequest } from '@stampede/proto/ledger/v1'
import type { DiscountRule } from '@stampede/proto/programmes/v1'
import { assertTrueBooks } from './testing/damages.ts'
import {
  BRAND,
  codeOf,
  keepPostgres,
  kindOf,
  member,
  returnOf,
  saleOf,
  type TestLedger,
  testLedger,
} from './testing/ledger.ts'

keepPostgres()

const ann = { brand: BRAND, memberId: member('ann') }
const percent = (ruleId: string, basisPoints: number, more: DeepPartial<DiscountRule> = {}) => ({
  ruleId,
  effect: { effect: { $case: 'percentBasisPoints' as const, value: basisPoints } },
  ...more,
})
const lines = (...amounts: bigint[]) =>
  amounts.map((amountMinor, index) => ({ sku: 'abc'[index] ?? '', quantity: 1n, amountMinor, category: '' }))
const quoteOf = (more: DeepPartial<QuoteReceiptRequest>) =>
  QuoteReceiptRequest.fromPartial({ ...ann, storeId: 'store', ...more })

async function couponCode(ledger: TestLedger, more: DeepPartial<CouponCampaign> = {}): Promise<string> {
  const effect = { effect: { $case: 'percentBasisPoints' as const, value: 1_000 } }
  const campaign = CouponCampaign.fromPartial({ campaignId: 'spring', effect, usesPerCode: 1n, ...more })
  await ledger.coupons.putCouponCampaign({ idempotencyKey: 'put', brand: BRAND, campaign }, ledger.call)
  const request = { idempotencyKey: 'issue', brand: BRAND, campaignId: 'spring', memberId: '', count: 1, codes: [] }
  const { coupons } = await ledger.coupons.issueCoupons(request, ledger.call)
  return coupons[0]?.code ?? ''
}

test('7 % of 999.99 + 500.00 is 104.99; the receipt earns on what is left and the first line back is 930.00', async () => {
  await using ledger = await testLedger()
  await ledger.publish({ discountRules: [percent('regulars', 700)] })
  const { handlers, call } = ledger
  const quote = await handlers.quoteReceipt(quoteOf({ lines: lines(99_999n, 50_000n) }), call)
  assert.deepEqual([quote.discountMinor, quote.totalMinor], [10_499n, 139_500n])
  assert.deepEqual(
    quote.lines.map(({ discountMinor }) => discountMinor),
    [6_999n, 3_500n],
  )
  const sale = saleOf('ann', '1', { lines: lines(99_999n, 50_000n), expectedTotalMinor: quote.totalMinor })
  const posted = await handlers.postReceipt(sale, call)
  assert.deepEqual([posted.totalMinor, posted.discountMinor, posted.pointsEarned], [139_500n, 10_499n, 6_975n])
  assert.equal((await handlers.returnReceipt(returnOf(posted.receiptId, 'r'), call)).refundMinor, 93_000n)
  const kept = await handlers.getReceipt({ brand: BRAND, receiptId: posted.receiptId }, call)
  assert.deepEqual(kept.discounts, [{ sourceId: 'regulars', outcome: 'applied', minor: 10_499n }])
  await assertTrueBooks(ledger)
})

test('a till that has quoted another price is told, and nothing is posted', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  const sale = saleOf('ann', '1', { lines: lines(10_000n), expectedTotalMinor: 10_000n })
  await ledger.publish({ discountRules: [percent('new', 1_000)] })
  assert.equal(await codeOf(handlers.postReceipt(sale, call)), 'FAILED_PRECONDITION')
  assert.equal(await codeOf(handlers.getBalance(ann, call)), 'NOT_FOUND')
})

test('a cumulative discount goes by what was spent before, and a return may lower the next one', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  const five = percent('five', 500, { group: 'ladder', spentMinor: 1_000_000n, spentMonths: 60 })
  await ledger.publish({ earnBasisPoints: 0, discountRules: [percent('three', 300, { group: 'ladder' }), five] })
  const sell = async (number: string, amount: bigint) =>
    handlers.postReceipt(saleOf('ann', number, { lines: lines(amount) }), call)
  await sell('0', 927_836n)
  const first = await sell('1', 200_000n)
  const second = await handlers.postReceipt(
    saleOf('ann', '2', { lines: [{ sku: 'a', quantity: 2n, amountMinor: 200_000n, category: '' }] }),
    call,
  )
  assert.deepEqual([first.totalMinor, second.totalMinor], [194_000n, 190_000n])
  const next = async () =>
    (await handlers.quoteReceipt(quoteOf({ lines: lines(200_000n) }), call)).discounts
      .filter(({ outcome }) => outcome === 'applied')
      .map(({ sourceId }) => sourceId)
  await handlers.returnReceipt(returnOf(first.receiptId, 'r1'), call)
  assert.deepEqual(await next(), ['five'], '10,900 are left')
  await handlers.returnReceipt(returnOf(second.receiptId, 'r2'), call)
  assert.deepEqual(await next(), ['three'], '9,950 are left')
})

test('tiers, tags and tenders open discounts', async () => {
  await using ledger = await testLedger()
  await ledger.publish({
    discountRules: [percent('app', 1_000, { tags: ['app'] }), percent('card', 2_000, { tender: 'card', group: '' })],
  })
  const total = async (more: DeepPartial<QuoteReceiptRequest>) =>
    (await ledger.handlers.quoteReceipt(quoteOf({ lines: lines(10_000n), ...more }), ledger.call)).totalMinor
  assert.deepEqual(
    [await total({}), await total({ tags: ['app'] }), await total({ tags: ['app'], tender: 'card' })],
    [10_000n, 9_000n, 7_000n],
  )
})

test('a receipt uses its coupon in the same step, and gives it back when all of it comes back', async () => {
  await using ledger = await testLedger()
  const { handlers, coupons, call } = ledger
  const code = await couponCode(ledger, { budgetUses: 1n })
  const sale = saleOf('ann', '1', { lines: lines(10_000n, 5_000n), couponCodes: [code] })
  const posted = await handlers.postReceipt(sale, call)
  assert.deepEqual([posted.totalMinor, posted.discountMinor], [13_500n, 1_500n])
  assert.deepEqual(await handlers.postReceipt(sale, call), posted, 'a repeat does not use it again')
  const again = saleOf('bob', '2', { lines: lines(10_000n), couponCodes: [code] })
  assert.equal(await codeOf(handlers.postReceipt(again, call)), 'COUPON_USED')
  const spent = async () => (await coupons.getCouponCampaign({ brand: BRAND, campaignId: 'spring' }, call)).uses
  assert.equal(await spent(), 1n)
  await handlers.returnReceipt(returnOf(posted.receiptId, 'r1'), call)
  assert.equal(await spent(), 1n, 'a part is not enough')
  const rest = returnOf(posted.receiptId, 'r2', { lines: [{ lineIndex: 1, quantity: 1n }] })
  await handlers.returnReceipt(rest, call)
  assert.equal(await spent(), 0n)
  assert.equal((await handlers.postReceipt({ ...again, idempotencyKey: 'later' }, call)).discountMinor, 1_000n)
  await assertTrueBooks(ledger)
})

test('c14: two codes of a campaign in one receipt are two uses by the member', async () => {
  await using ledger = await testLedger()
  const { handlers, coupons, call } = ledger
  const code = await couponCode(ledger, { usesPerMember: 1n })
  const issue = { idempotencyKey: 'more', brand: BRAND, campaignId: 'spring', memberId: '', count: 1, codes: [] }
  const [other] = (await coupons.issueCoupons(issue, call)).coupons
  const couponCodes = [code, other?.code ?? '']
  const refused = { code: 'COUPON_USED', field: 'coupon_codes[1]' }
  await assert.rejects(handlers.postReceipt(saleOf('ann', '1', { couponCodes }), call), refused)
  await assert.rejects(handlers.quoteReceipt(quoteOf({ lines: lines(1_000n), couponCodes }), call), refused)
})

test('a return and a new sale in one flush: the use that was given back counts no more', async () => {
  await using ledger = await testLedger()
  const { handlers, coupons, call } = ledger
  const code = await couponCode(ledger, { usesPerCode: 10n, usesPerMember: 1n })
  const { receiptId } = await handlers.postReceipt(saleOf('ann', '1', { couponCodes: [code] }), call)
  const issue = { idempotencyKey: 'more', brand: BRAND, campaignId: 'spring', memberId: '', count: 1, codes: [] }
  const [other] = (await coupons.issueCoupons(issue, call)).coupons
  const sale = (number: string) => {
    return { item: { $case: 'sale' as const, value: saleOf('ann', number, { couponCodes: [other?.code ?? ''] }) } }
  }
  const giveBack = { item: { $case: 'return' as const, value: returnOf(receiptId, 'r') } }
  const batch = { brand: BRAND, items: [sale('2'), giveBack, sale('3'), sale('4')] }
  const { results } = await handlers.postReceiptBatch(batch, call)
  assert.deepEqual(results.map(kindOf), ['COUPON_USED', 'return', 'sale', 'COUPON_USED'])
})

test('64 receipts with one code in one flush and over two replicas: one is posted, the others change nothing', async () => {
  await using ledger = await testLedger()
  await using other = ledger.replica()
  const code = await couponCode(ledger)
  const results = await Promise.all(
    Array.from({ length: 64 }, (_, index) => {
      const sale = saleOf(`m${index}`, String(index), { couponCodes: [code] })
      return codeOf((index % 2 === 0 ? ledger : other).handlers.postReceipt(sale, ledger.call))
    }),
  )
  assert.equal(results.filter((result) => result === 'COUPON_USED').length, 63)
  const [rows] = await ledger.database.query<{ count: bigint }>('SELECT count(*) FROM receipt')
  assert.equal(rows?.count, 1n)
  await assertTrueBooks(ledger)
})

test('a budget is never overdrawn by receipts, and a wrong code fails its own receipt only', async () => {
  await using ledger = await testLedger()
  const code = await couponCode(ledger, { usesPerCode: 100n, budgetUses: 7n })
  const items = Array.from({ length: 20 }, (_, index) => ({
    item: { $case: 'sale' as const, value: saleOf(`m${index}`, String(index), { couponCodes: [code] }) },
  }))
  const wrong = { item: { $case: 'sale' as const, value: saleOf('x', 'x', { couponCodes: ['NOSUCHCODE'] }) } }
  const { results } = await ledger.handlers.postReceiptBatch({ brand: BRAND, items: [...items, wrong] }, ledger.call)
  const told = results.map(({ result }) => (result?.$case === 'error' ? result.value.code : result?.$case))
  assert.deepEqual(
    Object.fromEntries(Object.entries(Object.groupBy(told, (one) => one ?? '')).map(([k, v]) => [k, v?.length])),
    {
      sale: 7,
      COUPON_BUDGET_SPENT: 13,
      COUPON_INVALID: 1,
    },
  )
})

test('a coupon that was reserved for the basket is used by its receipt and by no other', async () => {
  await using ledger = await testLedger()
  const code = await couponCode(ledger)
  const reserve = { idempotencyKey: 'v', brand: BRAND, code, memberId: '', storeId: 'store', reference: 'basket' }
  await ledger.coupons.reserveCoupon({ ...reserve, moneyMinor: 500n, ttlSeconds: 0 }, ledger.call)
  const other = saleOf('bob', '1', { couponCodes: [code] })
  assert.equal(await codeOf(ledger.handlers.postReceipt(other, ledger.call)), 'COUPON_USED')
  const own = saleOf('ann', '2', { couponCodes: [code], couponReference: 'basket' })
  assert.equal((await ledger.handlers.postReceipt(own, ledger.call)).discountMinor, 200n)
  const { uses, moneyMinor } = await ledger.coupons.getCouponCampaign(
    { brand: BRAND, campaignId: 'spring' },
    ledger.call,
  )
  assert.deepEqual([uses, moneyMinor], [1n, 200n])
})

test('what is wrong with a rule is named by its field', async () => {
  await using ledger = await testLedger()
  const bad: readonly (readonly [DeepPartial<DiscountRule>[], RegExp])[] = [
    [[percent('a', 0)], /discount_rules\[0\].effect.percent_basis_points/],
    [[percent('a', 1), percent('a', 1)], /discount_rules\[1\].rule_id/],
    [[percent('a', 1, { phase: 'later' })], /discount_rules\[0\].phase/],
    [[percent('a', 1, { decay: { stepDays: 7, factorBasisPoints: 5_000 } })], /discount_rules\[0\].decay/],
    [[{ ruleId: 'a' }], /discount_rules\[0\].effect/],
  ]
  for (const [discountRules, field] of bad) await assert.rejects(ledger.publish({ discountRules }), field)
})
