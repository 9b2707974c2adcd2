import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CouponCampaign } from '@stampede/proto/coupons/v1'
import { Event } from '@stampede/proto/events/v1'
import { type PostReceiptRequest, QuoteReceiptRequest } from '@stampede/proto/ledger/v1'
import { assertTrueBooks } from './testing/damages.ts'
import { BRAND, codeOf, keepPostgres, member, returnOf, saleOf, type TestLedger, testLedger } from './testing/ledger.ts'

keepPostgres()

const coffee = { cardId: 'coffee', target: 5, goods: { categories: ['coffee'] } }
const cups = (quantity: bigint): Pick<PostReceiptRequest, 'lines'> => ({
  lines: [{ sku: 'cup', quantity, amountMinor: 300n * quantity, category: 'coffee' }],
})

async function cardsOf(ledger: TestLedger, name: string) {
  const request = { brand: BRAND, memberId: member(name) }
  const { stampCards } = await ledger.stamps.listStampCards(request, ledger.call)
  return stampCards.map(({ cardId, stamps, owed }) => [cardId, stamps, owed])
}

test('c21.6: a quote shows the free cup, the receipt gives it, a return takes its stamps back', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  await ledger.publish({ stampCards: [coffee] })
  const asked = { brand: BRAND, memberId: member('ann'), storeId: 'store', ...cups(7n) }
  const quote = await handlers.quoteReceipt(QuoteReceiptRequest.fromPartial(asked), call)
  assert.equal(quote.totalMinor, 1_800n)
  assert.deepEqual(quote.discounts, [{ sourceId: 'stamps/coffee', outcome: 'applied', minor: 300n }])

  const sale = saleOf('ann', '1', cups(7n))
  const posted = await handlers.postReceipt(sale, call)
  assert.equal(posted.totalMinor, 1_800n)
  const card = { cardId: 'coffee', target: 5n, earned: 6n, spent: 5n, stamps: 1n, owed: 0n, couponCodes: [] }
  assert.deepEqual(posted.stampCards, [card])
  assert.deepEqual(await handlers.postReceipt(sale, call), posted)
  assert.deepEqual(await cardsOf(ledger, 'ann'), [['coffee', 1n, 0n]])

  const back = (name: string, quantity: bigint) =>
    handlers.returnReceipt(returnOf(posted.receiptId, name, { lines: [{ lineIndex: 0, quantity }] }), call)
  await back('two', 2n)
  assert.deepEqual(await cardsOf(ledger, 'ann'), [['coffee', 0n, 1n]])
  await back('rest', 5n)
  assert.deepEqual(await cardsOf(ledger, 'ann'), [['coffee', 0n, 0n]])
  await assertTrueBooks(ledger)
})

test('a full card gives a coupon in the same step, and tells it and itself', async () => {
  await using ledger = await testLedger()
  const { handlers, coupons, call, database } = ledger
  const effect = { effect: { $case: 'amountMinor', value: 500n } } as const
  const campaign = CouponCampaign.fromPartial({ campaignId: 'gift', effect, usesPerCode: 1n, validDays: 30 })
  await coupons.putCouponCampaign({ idempotencyKey: 'put', brand: BRAND, campaign }, call)
  await ledger.publish({ stampCards: [{ cardId: 'spend', target: 2, amountMinor: 1_000n, rewardCampaignId: 'gift' }] })
  const posted = await handlers.postReceipt(saleOf('bob', '1', cups(15n)), call)
  const [card] = posted.stampCards
  assert.deepEqual([card?.earned, card?.spent, card?.stamps], [4n, 4n, 0n])
  assert.equal(card?.couponCodes.length, 2)
  const [couponCode] = card.couponCodes
  const next = await handlers.postReceipt(saleOf('bob', '2', { couponCodes: [couponCode ?? ''] }), call)
  assert.equal(next.discountMinor, 500n)
  const rows = await database.query<{ payload: Buffer }>('SELECT payload FROM outbox ORDER BY id')
  const told = rows.map(({ payload }) => Event.decode(payload).payload?.$case)
  assert.equal(told.filter((kind) => kind === 'stamps').length, 2)
  assert.equal(told.filter((kind) => kind === 'coupon').length, 3)
  await assertTrueBooks(ledger)
})

test('two tills on two replicas cannot use one full card twice', async () => {
  await using ledger = await testLedger()
  await using other = ledger.replica()
  await ledger.publish({ stampCards: [coffee] })
  await ledger.handlers.postReceipt(saleOf('eve', '0', cups(5n)), ledger.call)
  const receipts = await Promise.all(
    Array.from({ length: 24 }, (_, index) => {
      const { handlers } = index % 2 === 0 ? ledger : other
      return handlers.postReceipt(saleOf('eve', `${index + 1}`, cups(1n)), ledger.call)
    }),
  )
  // 5 and 24 cups: every sixth was free, whatever the order.
  assert.equal(receipts.filter(({ totalMinor }) => totalMinor === 0n).length, 4)
  assert.deepEqual(await cardsOf(ledger, 'eve'), [['coffee', 5n, 0n]])
  await assertTrueBooks(ledger)
})

test('c13: the size of a card that members have never changes, and a coupon must be there', async () => {
  await using ledger = await testLedger()
  await ledger.publish({ stampCards: [coffee] })
  assert.equal(await codeOf(ledger.publish({ stampCards: [{ ...coffee, target: 6 }] })), 'INVALID_ARGUMENT')
  const nowhere = { cardId: 'other', target: 5, rewardCampaignId: 'nowhere' }
  assert.equal(await codeOf(ledger.publish({ stampCards: [nowhere] })), 'INVALID_ARGUMENT')
})

test('c13: stamps end with their days, and goods outside of the card give none', async () => {
  await using ledger = await testLedger()
  const { handlers, call, clock } = ledger
  await ledger.publish({ stampCards: [{ ...coffee, liveDays: 10 }] })
  await handlers.postReceipt(saleOf('ann', '1', cups(3n)), call)
  const other = await handlers.postReceipt(saleOf('ann', '2'), call)
  assert.deepEqual(other.stampCards, [])
  assert.deepEqual(await cardsOf(ledger, 'ann'), [['coffee', 3n, 0n]])
  clock.advance(11 * 86_400_000)
  assert.deepEqual(await cardsOf(ledger, 'ann'), [['coffee', 0n, 0n]])
  await assertTrueBooks(ledger)
})
