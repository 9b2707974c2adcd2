import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Event } from '@stampede/proto/events/v1'
import { type PostReceiptRequest, QuoteReceiptRequest } from '@stampede/proto/ledger/v1'
import type { DeepPartial, PriceSetRules } from '@stampede/proto/programmes/v1'
import { assertFound, assertTrueBooks } from './testing/damages.ts'
import { BRAND, codeOf, keepPostgres, member, returnOf, saleOf, type TestLedger, testLedger } from './testing/ledger.ts'

keepPostgres()

const ann = { brand: BRAND, memberId: member('ann') }
/** An instant in Berlin in June 2027. */
const june = (text: string) => new Date(`2027-06-${text}+02:00`)
let keys = 0
const nextKey = () => {
  keys += 1
  return `k${keys}`
}

/** A ledger on 1 June 2027, 09:00, whose members choose a favourite at 30 % for 10 days and get sets of 5 days. */
async function pricedLedger(more: DeepPartial<PriceSetRules> = {}): Promise<TestLedger> {
  const ledger = await testLedger()
  const sets = { setLiveDays: 5, setProductsMax: 6, favouriteBasisPoints: 3_000, favouriteLiveDays: 10 }
  await ledger.publish({ priceSets: { ...sets, unitsPerDay: 10n, ...more } })
  setClock(ledger, june('01T09:00'))
  return ledger
}

function setClock({ clock }: TestLedger, to: Date): void {
  clock.advance(to.getTime() - clock.nowMs())
}

const choose = ({ prices, call }: TestLedger, sku: string) =>
  prices.chooseFavourite({ ...ann, idempotencyKey: nextKey(), sku }, call)
const grant = ({ prices, call }: TestLedger, items: { sku: string; basisPoints: number }[]) =>
  prices.grantPriceSet({ ...ann, idempotencyKey: nextKey(), items }, call)

const milk = (quantity: bigint, sku = 'milk') => [{ sku, quantity, amountMinor: quantity * 20_000n, category: '' }]

function sell({ handlers, call, clock }: TestLedger, more: Partial<PostReceiptRequest>) {
  return handlers.postReceipt(saleOf('ann', nextKey(), { occurredAt: clock.now(), ...more }), call)
}

async function quoted({ handlers, call }: TestLedger, quantity: bigint, occurredAt?: Date): Promise<bigint> {
  const request = { ...ann, storeId: 's1', lines: milk(quantity), occurredAt }
  return (await handlers.quoteReceipt(QuoteReceiptRequest.fromPartial(request), call)).totalMinor
}

test('c21.14: a SKU at 200 in the set at 20 % and favourite costs 140, not 112, and comes back for 140', async () => {
  await using ledger = await pricedLedger()
  const { handlers, call } = ledger
  await grant(ledger, [{ sku: 'milk', basisPoints: 2_000 }])
  assert.equal(await quoted(ledger, 1n), 16_000n)
  await choose(ledger, 'milk')
  assert.equal(await quoted(ledger, 1n), 14_000n)
  const posted = await sell(ledger, { lines: milk(1n) })
  assert.deepEqual([posted.totalMinor, posted.discountMinor], [14_000n, 6_000n])
  const kept = await handlers.getReceipt({ brand: BRAND, receiptId: posted.receiptId }, call)
  assert.deepEqual(kept.discounts, [{ sourceId: 'price/favourite', outcome: 'applied', minor: 6_000n }])
  const back = returnOf(posted.receiptId, 'r', { occurredAt: ledger.clock.now() })
  assert.equal((await handlers.returnReceipt(back, call)).refundMinor, 14_000n)
  await assertTrueBooks(ledger)
})

test('c21.14: a choice of 1 June 09:00 lives through 10 June; another at 18:00 is FAVOURITE_CHANGED_TODAY, at 2 June 00:00 accepted', async () => {
  await using ledger = await pricedLedger()
  const { price } = await choose(ledger, 'milk')
  assert.deepEqual(price?.until, june('11T00:00'))
  setClock(ledger, june('01T18:00'))
  assert.equal(await codeOf(choose(ledger, 'tea')), 'FAVOURITE_CHANGED_TODAY')
  assert.equal(await codeOf(choose(ledger, 'milk')), 'FAILED_PRECONDITION', 'the same SKU is no choice')
  setClock(ledger, june('02T00:00'))
  const second = await choose(ledger, 'tea')
  assert.deepEqual(second.price?.until, june('12T00:00'), 'the term begins anew')
  const { prices } = await ledger.prices.listMemberPrices(ann, ledger.call)
  assert.deepEqual(
    prices.map(({ items }) => items[0]?.sku),
    ['tea'],
  )
  assert.equal((await sell(ledger, { lines: milk(1n) })).totalMinor, 20_000n, 'it ended the old one at once')
  const late = await sell(ledger, { lines: milk(1n), occurredAt: june('01T23:59:59') })
  assert.equal(late.totalMinor, 14_000n, 'the event time of the till decides')
  await assertTrueBooks(ledger)
})

test('c21.14: a 5-day set of 1 June lives through 5 June, the next begins on 6 June, and one may wait', async () => {
  await using ledger = await pricedLedger()
  const first = await grant(ledger, [{ sku: 'milk', basisPoints: 1_000 }])
  assert.deepEqual(first.price?.until, june('06T00:00'))
  const next = await grant(ledger, [{ sku: 'tea', basisPoints: 1_500 }])
  assert.deepEqual([next.price?.from, next.price?.until], [june('06T00:00'), june('11T00:00')])
  assert.equal(await codeOf(grant(ledger, [{ sku: 'jam', basisPoints: 1_500 }])), 'FAILED_PRECONDITION')
  assert.equal(await quoted(ledger, 1n, june('01T12:00')), 18_000n)
  setClock(ledger, june('06T00:00'))
  assert.equal(await quoted(ledger, 1n), 20_000n)
  assert.equal((await sell(ledger, { lines: milk(1n, 'tea') })).totalMinor, 17_000n)
  await assertTrueBooks(ledger)
})

test('c21.14: 10 units of a SKU on a day; a return makes room again, and the next day has its own', async () => {
  await using ledger = await pricedLedger()
  const { handlers, call, clock } = ledger
  await choose(ledger, 'milk')
  const first = await sell(ledger, { lines: milk(7n) })
  assert.equal(first.totalMinor, 98_000n)
  assert.equal(await quoted(ledger, 5n), 82_000n, '3 at 140, 2 at 200')
  const second = await sell(ledger, { lines: milk(5n) })
  assert.equal(second.totalMinor, 82_000n)
  assert.equal((await sell(ledger, { lines: milk(1n) })).totalMinor, 20_000n, 'none is left')
  const back = returnOf(first.receiptId, 'r', { occurredAt: clock.now(), lines: [{ lineIndex: 0, quantity: 2n }] })
  await handlers.returnReceipt(back, call)
  assert.equal(await quoted(ledger, 3n), 48_000n, '2 at 140, 1 at 200')
  setClock(ledger, june('02T00:00'))
  assert.equal(await quoted(ledger, 10n), 140_000n)
  await assertTrueBooks(ledger)
})

test('c21.14: the cap holds over all receipts of a batch, and over 32 tills on two replicas', async () => {
  await using ledger = await pricedLedger()
  await using other = ledger.replica()
  await choose(ledger, 'milk')
  const results = await Promise.all(
    Array.from({ length: 32 }, (_, index) => {
      const sale = saleOf('ann', `c${index}`, { occurredAt: ledger.clock.now(), lines: milk(1n) })
      return (index % 2 === 0 ? ledger : other).handlers.postReceipt(sale, ledger.call)
    }),
  )
  assert.equal(results.filter(({ totalMinor }) => totalMinor === 14_000n).length, 10)
  assert.equal(results.filter(({ totalMinor }) => totalMinor === 20_000n).length, 22)
  const choices = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      codeOf(ledger.prices.chooseFavourite({ ...ann, idempotencyKey: `f${index}`, sku: `s${index}` }, ledger.call)),
    ),
  )
  assert.equal(choices.filter((one) => one === 'FAVOURITE_CHANGED_TODAY').length, 8)
  setClock(ledger, june('03T12:00'))
  const tomorrow = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      codeOf(ledger.prices.chooseFavourite({ ...ann, idempotencyKey: `g${index}`, sku: `s${index}` }, ledger.call)),
    ),
  )
  assert.equal(tomorrow.filter((one) => typeof one !== 'string').length, 1, 'eight at once: one choice')
  await assertTrueBooks(ledger)
})

test('what a programme does not have or excludes is refused, by its field', async () => {
  await using ledger = await pricedLedger({ excluded: { skus: ['rum'] }, setProductsMax: 1 })
  await assert.rejects(choose(ledger, 'rum'), { code: 'INVALID_ARGUMENT', field: 'sku' })
  await assert.rejects(grant(ledger, [{ sku: 'rum', basisPoints: 1 }]), { field: 'items[0].sku' })
  await assert.rejects(grant(ledger, [{ sku: 'a', basisPoints: 0 }]), { field: 'items[0].basis_points' })
  const twice = ['a', 'a'].map((sku) => ({ sku, basisPoints: 1 }))
  await assert.rejects(grant(ledger, twice), { field: 'items[1].sku' })
  const two = ['a', 'b'].map((sku) => ({ sku, basisPoints: 1 }))
  await assert.rejects(grant(ledger, two), { field: 'items' })
  await assert.rejects(ledger.publish({ priceSets: { setLiveDays: 5 } }), /price_sets.set_products_max/)
  await assert.rejects(ledger.publish({ priceSets: { favouriteBasisPoints: 5 } }), /price_sets.favourite_live_days/)
  await ledger.publish({})
  assert.equal(await codeOf(choose(ledger, 'milk')), 'FAILED_PRECONDITION')
})

test('a choice is made once per key, and tells when to remind the member', async () => {
  await using ledger = await pricedLedger()
  const request = { ...ann, idempotencyKey: 'a', sku: 'milk' }
  const first = await ledger.prices.chooseFavourite(request, ledger.call)
  assert.deepEqual(await ledger.prices.chooseFavourite(request, ledger.call), first)
  const other = ledger.prices.chooseFavourite({ ...request, sku: 'tea' }, ledger.call)
  assert.equal(await codeOf(other), 'IDEMPOTENCY_CONFLICT')
  setClock(ledger, june('02T10:00'))
  await choose(ledger, 'tea')
  const rows = await ledger.database.query<{ payload: Buffer }>('SELECT * FROM outbox ORDER BY id')
  const told = rows.flatMap(({ payload }) => {
    const { payload: event, aggregateVersion } = Event.decode(payload)
    return event?.$case === 'memberPrice'
      ? [[event.value.skus[0], aggregateVersion, event.value.until, event.value.remindAt]]
      : []
  })
  assert.deepEqual(told, [
    ['milk', 1n, june('11T00:00'), june('10T00:00')],
    ['milk', 2n, june('02T10:00'), undefined],
    ['tea', 1n, june('12T00:00'), june('11T00:00')],
  ])
})

test('every rule of members’ own prices finds the row that breaks it', async () => {
  await using ledger = await pricedLedger()
  await choose(ledger, 'milk')
  await sell(ledger, { lines: milk(2n) })
  setClock(ledger, june('02T10:00'))
  await choose(ledger, 'tea')
  const follow = 'prices of one kind of a member follow each other'
  const units = 'units at members’ own prices are of lines of their sales'
  const rules = await assertFound(ledger.database, [
    [follow, `UPDATE member_price SET until_at = until_at + interval '1 second' WHERE skus = '{milk}'`],
    [units, `UPDATE member_price_use SET line_units = '{3}'`],
    [units, `UPDATE member_price_use SET line_skus = '{tea}'`],
    [units, `UPDATE member_price_use SET line_indexes = '{1}'`],
  ])
  assert.equal(rules, 2)
})
