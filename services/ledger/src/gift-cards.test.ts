import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Event } from '@stampede/proto/events/v1'
import { type GiftCard, HoldGiftCardRequest, type NewGiftCard } from '@stampede/proto/giftcards/v1'
import { GiftCardPayment, type PostReceiptRequest } from '@stampede/proto/ledger/v1'
import type { DeepPartial, GiftCardRules } from '@stampede/proto/programmes/v1'
import { expireGiftCards } from './store/gift-cards/expire.ts'
import { assertFound, assertTrueBooks } from './testing/damages.ts'
import {
  BRAND,
  codeOf,
  holdOf,
  keepPostgres,
  member,
  returnOf,
  saleOf,
  type TestLedger,
  testLedger,
} from './testing/ledger.ts'

keepPostgres()

const DAY_MS = 86_400_000
let keys = 0
const nextKey = () => {
  keys += 1
  return `k${keys}`
}

/** A ledger whose programme gives 10 % and sells cards of 3,000.00. */
async function giftLedger(rules: DeepPartial<GiftCardRules> = {}): Promise<TestLedger> {
  const ledger = await testLedger()
  await ledger.publish({ earnBasisPoints: 1_000, giftCards: { valuesMinor: [300_000n], ...rules } })
  return ledger
}

async function issue({ giftCards, call }: TestLedger, count = 1): Promise<readonly NewGiftCard[]> {
  const request = { idempotencyKey: nextKey(), brand: BRAND, batchId: 'may', valueMinor: 300_000n, count }
  return (await giftCards.issueGiftCards(request, call)).cards
}

const soldWith = (tender: string) => ({ amountMinor: 300_000n, tender, storeId: 's1', reference: 'receipt 1' })

/** Issues a card and sells it for cash. */
async function sold(ledger: TestLedger): Promise<{ readonly code: string; readonly pin: string; readonly id: string }> {
  const [one] = await issue(ledger)
  const { code = '', pin = '', card } = one ?? {}
  const request = { idempotencyKey: nextKey(), brand: BRAND, code, ...soldWith('cash') }
  await ledger.giftCards.activateGiftCard(request, ledger.call)
  return { code, pin, id: card?.cardId ?? '' }
}

const paidBy = (code: string, amountMinor: bigint, more: DeepPartial<GiftCardPayment> = {}) =>
  GiftCardPayment.fromPartial({ code, amountMinor, ...more })

const lines = (...amounts: bigint[]) =>
  amounts.map((amountMinor, index) => ({ sku: `sku${index}`, quantity: 1n, amountMinor, category: '' }))

/** Sells goods to Ann. */
function sell({ handlers, call }: TestLedger, more: Partial<PostReceiptRequest>) {
  const key = nextKey()
  return handlers.postReceipt(saleOf('ann', key, more), call)
}

async function shown({ giftCards, call }: TestLedger, code: string, pin = ''): Promise<GiftCard | undefined> {
  return (await giftCards.getGiftCardBalance({ brand: BRAND, code, pin, storeId: 's1' }, call)).card
}

/** The entries of the money books, as c21 writes them, in the order in which they were posted. */
async function books({ database }: TestLedger): Promise<readonly string[]> {
  const rows = await database.query<{ accounts: string[]; parties: string[]; amounts: bigint[] }>(
    `SELECT entry_accounts AS accounts, entry_parties AS parties, entry_amounts AS amounts FROM money_posting
     ORDER BY ctid`,
  )
  return rows.map(({ accounts, parties, amounts }) =>
    accounts
      .map((account, at) => {
        const party = account === 'tender' ? `[${parties[at]}]` : ''
        return `${account}${party} ${amounts[at]}`
      })
      .join(', '),
  )
}

async function points({ handlers, call }: TestLedger): Promise<bigint> {
  return (await handlers.getBalance({ brand: BRAND, memberId: member('ann') }, call)).balance?.available ?? 0n
}

test('c21.13: a card of 3,000 is sold, pays 1,800, then 1,200 of 2,000, takes 600 back and ends with them', async () => {
  await using ledger = await giftLedger({ liveDays: 30 })
  const { code } = await sold(ledger)

  const first = await sell(ledger, { lines: lines(120_000n, 60_000n), giftCardPayments: [paidBy(code, 180_000n)] })
  assert.equal(first.giftCards[0]?.availableMinor, 120_000n, '1,200 left')
  assert.equal(first.pointsEarned, 18_000n, 'earns 180 at 10 %')

  const second = await sell(ledger, {
    lines: lines(200_000n),
    giftCardPayments: [paidBy(code, 120_000n)],
    tender: 'cash',
  })
  assert.equal(second.giftCards[0]?.availableMinor, 0n)
  assert.equal((await shown(ledger, code))?.state, 'empty')

  const before = await points(ledger)
  const back = returnOf(first.receiptId, 'r1', { lines: [{ lineIndex: 1, quantity: 1n }] })
  const returned = await ledger.handlers.returnReceipt(back, ledger.call)
  assert.deepEqual([returned.refundMinor, returned.giftCards[0]?.amountMinor], [0n, 60_000n], 'never cash')
  assert.equal(before - (await points(ledger)), 6_000n, 'V 60')
  const [stored] = await ledger.database.query<object>(
    `SELECT total_minor AS total, refund_minor AS refund FROM receipt WHERE kind = 'return'`,
  )
  assert.deepEqual(stored, { total: 60_000n, refund: 0n })
  const reopened = await shown(ledger, code)
  assert.deepEqual([reopened?.state, reopened?.availableMinor], ['active', 60_000n], 'EMPTY reopens')

  ledger.clock.advance(40 * DAY_MS)
  assert.equal((await shown(ledger, code))?.state, 'expired')
  assert.equal(await expireGiftCards(ledger.context, ledger.clock.now(), 10), 1)
  assert.equal(await expireGiftCards(ledger.context, ledger.clock.now(), 10), 0)
  assert.deepEqual(await books(ledger), [
    'tender[cash] 300000, giftcard -300000',
    'shelf -180000, giftcard 180000',
    'shelf -200000, giftcard 120000, tender[cash] 80000',
    'shelf 60000, giftcard -60000',
    'giftcard 60000, revenue -60000',
  ])
  const movement = await ledger.giftCards.getGiftCardMovement(
    { brand: BRAND, from: undefined, until: undefined },
    ledger.call,
  )
  assert.deepEqual(movement, {
    openingMinor: 0n,
    soldMinor: 300_000n,
    reloadedMinor: 0n,
    usedMinor: 300_000n,
    returnedMinor: 60_000n,
    expiredMinor: 60_000n,
    refundedMinor: 0n,
    closingMinor: 0n,
    blockedMinor: 0n,
  })
  await assertTrueBooks(ledger)
})

test('c21.13: the sale of a card earns nothing, and the card is worth nothing before it', async () => {
  await using ledger = await giftLedger()
  const [unsold] = await issue(ledger)
  assert.equal(await codeOf(shown(ledger, unsold?.code ?? '')), 'GIFT_CARD_INVALID')
  const paid = sell(ledger, { giftCardPayments: [paidBy(unsold?.code ?? '', 100n)] })
  assert.equal(await codeOf(paid), 'GIFT_CARD_INVALID')
  await sold(ledger)
  const [rows] = await ledger.database.query<{ count: bigint }>('SELECT count(*) FROM posting')
  assert.equal(rows?.count, 0n)
})

test('c21.13: money that comes back to an expired card lives 14 days more', async () => {
  await using ledger = await giftLedger({ liveDays: 10 })
  const { code } = await sold(ledger)
  const { receiptId } = await sell(ledger, { lines: lines(300_000n), giftCardPayments: [paidBy(code, 300_000n)] })
  ledger.clock.advance(20 * DAY_MS)
  await ledger.handlers.returnReceipt(returnOf(receiptId, 'r'), ledger.call)
  const card = await shown(ledger, code)
  assert.deepEqual([card?.state, card?.availableMinor], ['active', 300_000n])
  assert.equal(card?.expiresAt?.toISOString(), '2026-12-24T23:00:00.000Z', 'through 24 December in Berlin')
  ledger.clock.advance(15 * DAY_MS)
  await expireGiftCards(ledger.context, ledger.clock.now(), 10)
  assert.equal((await books(ledger)).at(-1), 'giftcard 300000, revenue -300000')
  await assertTrueBooks(ledger)
})

test('c21.13: the money of a blocked card goes to its replacement, also what comes back later', async () => {
  await using ledger = await giftLedger({ liveDays: 10 })
  const { giftCards, call } = ledger
  const { code, id } = await sold(ledger)
  const { receiptId } = await sell(ledger, { lines: lines(100_000n), giftCardPayments: [paidBy(code, 100_000n)] })
  const early = { idempotencyKey: nextKey(), brand: BRAND, cardId: id }
  assert.equal(await codeOf(giftCards.replaceGiftCard(early, call)), 'FAILED_PRECONDITION')
  await giftCards.blockGiftCard({ ...early, idempotencyKey: nextKey(), reason: 'lost' }, call)
  assert.equal(await codeOf(shown(ledger, code)), 'GIFT_CARD_INVALID')
  const all = { brand: BRAND, from: undefined, until: undefined }
  assert.equal((await giftCards.getGiftCardMovement(all, call)).blockedMinor, 200_000n)
  const { replacement } = await giftCards.replaceGiftCard({ ...early, idempotencyKey: nextKey() }, call)
  assert.equal((await giftCards.getGiftCardMovement(all, call)).blockedMinor, 0n)
  const again = { ...early, idempotencyKey: nextKey() }
  assert.equal(await codeOf(giftCards.replaceGiftCard(again, call)), 'FAILED_PRECONDITION', 'once')

  const returned = await ledger.handlers.returnReceipt(returnOf(receiptId, 'r'), call)
  assert.equal(returned.giftCards[0]?.cardId, replacement?.card?.cardId)
  assert.equal((await shown(ledger, replacement?.code ?? ''))?.availableMinor, 300_000n)
  assert.deepEqual((await books(ledger)).slice(2), [
    'giftcard 200000, giftcard -200000',
    'shelf 100000, giftcard -100000',
  ])
  await assertTrueBooks(ledger)
})

test('c21.13: an unused card is paid back to the tenders that bought it, a used one never', async () => {
  await using ledger = await giftLedger({ reloadMostMinor: 500_000n })
  const { giftCards, call } = ledger
  const { code } = await sold(ledger)
  const reload = { idempotencyKey: nextKey(), brand: BRAND, code, pin: '', ...soldWith('card') }
  const tooMuch = giftCards.reloadGiftCard(reload, call)
  assert.equal(await codeOf(tooMuch), 'FAILED_PRECONDITION', '6,000 are more than 5,000')
  await giftCards.reloadGiftCard({ ...reload, idempotencyKey: nextKey(), amountMinor: 200_000n }, call)
  const refund = { idempotencyKey: nextKey(), brand: BRAND, code, pin: '', storeId: 's1' }
  const { tenders, card } = await giftCards.refundGiftCard(refund, call)
  assert.deepEqual(tenders, [
    { tender: 'card', amountMinor: 200_000n },
    { tender: 'cash', amountMinor: 300_000n },
  ])
  assert.equal(card?.state, 'refunded')

  const used = await sold(ledger)
  const { receiptId } = await sell(ledger, { giftCardPayments: [paidBy(used.code, 2_000n)] })
  await ledger.handlers.returnReceipt(returnOf(receiptId, 'r'), call)
  const other = { ...refund, idempotencyKey: nextKey(), code: used.code }
  assert.equal(await codeOf(giftCards.refundGiftCard(other, call)), 'FAILED_PRECONDITION')
  await assertTrueBooks(ledger)
})

test('c21.13: gift cards pay what points leave, and a return in any parts gives each its share of the line', async () => {
  await using ledger = await giftLedger()
  const { handlers, call } = ledger
  const [one, two] = [await sold(ledger), await sold(ledger)]
  await sell(ledger, { lines: lines(100_000n) })
  const { holdId } = await handlers.createHold(holdOf('ann', 5_000n, 'basket'), call)
  const bought = [
    { sku: 'a', quantity: 3n, amountMinor: 10_001n, category: '' },
    { sku: 'b', quantity: 1n, amountMinor: 5_002n, category: '' },
  ]
  const pay = { holdId, pointsToPay: 5_000n, tender: 'card' }
  const tooMuch = sell(ledger, { lines: bought, ...pay, giftCardPayments: [paidBy(one.code, 10_004n)] })
  assert.equal(await codeOf(tooMuch), 'INVALID_ARGUMENT')
  const sale = await sell(ledger, {
    lines: bought,
    ...pay,
    giftCardPayments: [paidBy(one.code, 3_333n), paidBy(two.code, 4_444n)],
  })
  let [cash, toOne, toTwo, restored] = [0n, 0n, 0n, 0n]
  const parts = [0, 0, 1, 0]
  for (const [index, lineIndex] of parts.entries()) {
    const part = returnOf(sale.receiptId, `r${index}`, { lines: [{ lineIndex, quantity: 1n }] })
    const answer = await handlers.returnReceipt(part, call)
    cash += answer.refundMinor
    restored += answer.pointsRestored
    for (const { cardId, amountMinor } of answer.giftCards) {
      if (cardId === one.id) toOne += amountMinor
      if (cardId === two.id) toTwo += amountMinor
    }
  }
  assert.deepEqual([toOne, toTwo, restored, cash], [3_333n, 4_444n, 5_000n, 2_226n])
  const { giftCards } = await handlers.getReceipt({ brand: BRAND, receiptId: sale.receiptId }, call)
  assert.deepEqual(giftCards, [
    { cardId: one.id, amountMinor: 3_333n, returnedMinor: 3_333n },
    { cardId: two.id, amountMinor: 4_444n, returnedMinor: 4_444n },
  ])
  await assertTrueBooks(ledger)
})

test('c6: a held part of a card is promised to its basket, and what is not taken is free again', async () => {
  await using ledger = await giftLedger()
  const { giftCards, call, clock } = ledger
  const { code } = await sold(ledger)
  const hold = (amountMinor: bigint, reference: string, more: DeepPartial<HoldGiftCardRequest> = {}) =>
    giftCards.holdGiftCard(
      HoldGiftCardRequest.fromPartial({
        idempotencyKey: nextKey(),
        brand: BRAND,
        code,
        amountMinor,
        reference,
        ...more,
      }),
      call,
    )
  await hold(100_000n, 'a')
  const second = await hold(250_000n, 'a')
  assert.deepEqual([second.card?.availableMinor, second.card?.heldMinor], [50_000n, 250_000n], 'the same basket')
  assert.equal(await codeOf(hold(60_000n, 'b')), 'GIFT_CARD_INSUFFICIENT')
  const { holdId } = second
  const captured = await sell(ledger, { lines: lines(90_000n), giftCardPayments: [paidBy(code, 90_000n, { holdId })] })
  assert.equal(captured.giftCards[0]?.availableMinor, 210_000n)
  const twice = sell(ledger, { lines: lines(90_000n), giftCardPayments: [paidBy(code, 90_000n, { holdId })] })
  assert.equal(await codeOf(twice), 'HOLD_RESOLVED')

  const third = await hold(200_000n, 'c', { ttlSeconds: 60 })
  clock.advance(60_000)
  assert.equal((await shown(ledger, code))?.availableMinor, 210_000n, 'the deadline has passed')
  const late = { idempotencyKey: nextKey(), brand: BRAND, holdId: third.holdId, amountMinor: 1n }
  assert.equal(await codeOf(giftCards.commitGiftCardHold(late, call)), 'HOLD_EXPIRED')
  assert.equal(await expireGiftCards(ledger.context, clock.now(), 10), 1)
  await assertTrueBooks(ledger)
})

test('whoever is no member pays by capturing a hold, and gets goods back to the card', async () => {
  await using ledger = await giftLedger()
  const { giftCards, call } = ledger
  const { code, id } = await sold(ledger)
  const ask = HoldGiftCardRequest.fromPartial({ idempotencyKey: 'h', brand: BRAND, code, reference: 'x' })
  const { holdId } = await giftCards.holdGiftCard({ ...ask, amountMinor: 5_000n }, call)
  const on = (amountMinor: bigint) => ({ idempotencyKey: nextKey(), brand: BRAND, holdId, amountMinor })
  assert.equal(await codeOf(giftCards.commitGiftCardHold(on(5_001n), call)), 'INVALID_ARGUMENT')
  assert.equal(await codeOf(giftCards.returnToGiftCard(on(1n), call)), 'NOT_FOUND')
  const { card } = await giftCards.commitGiftCardHold(on(4_000n), call)
  assert.equal(card?.availableMinor, 296_000n)
  await giftCards.returnToGiftCard(on(3_000n), call)
  assert.equal(await codeOf(giftCards.returnToGiftCard(on(1_001n), call)), 'RETURN_EXCEEDS_SALE')
  await giftCards.blockGiftCard({ idempotencyKey: 'b', brand: BRAND, cardId: id, reason: 'lost' }, call)
  const { replacement } = await giftCards.replaceGiftCard({ idempotencyKey: 'n', brand: BRAND, cardId: id }, call)
  const back = await giftCards.returnToGiftCard(on(1_000n), call)
  assert.deepEqual([back.card?.cardId, back.card?.availableMinor], [replacement?.card?.cardId, 300_000n])

  const kept = await giftCards.holdGiftCard(
    { ...ask, idempotencyKey: 'i', code: replacement?.code ?? '', amountMinor: 9n },
    call,
  )
  const cancel = { idempotencyKey: 'c', brand: BRAND, holdId: kept.holdId }
  assert.equal((await giftCards.cancelGiftCardHold(cancel, call)).card?.heldMinor, 0n)
  await assertTrueBooks(ledger)
})

test('64 tills on two replicas pay with one card at once: as many as there is money for, and no more', async () => {
  await using ledger = await giftLedger()
  await using other = ledger.replica()
  const { code } = await sold(ledger)
  const results = await Promise.all(
    Array.from({ length: 64 }, (_, index) => {
      const more = { lines: lines(20_000n), giftCardPayments: [paidBy(code, 20_000n)] }
      const sale = saleOf(`m${index}`, `c${index}`, more)
      return codeOf((index % 2 === 0 ? ledger : other).handlers.postReceipt(sale, ledger.call))
    }),
  )
  assert.equal(results.filter((result) => typeof result !== 'string').length, 15)
  assert.equal(results.filter((result) => result === 'GIFT_CARD_INSUFFICIENT').length, 49)
  assert.equal((await shown(ledger, code))?.state, 'empty')
  const [rows] = await ledger.database.query<{ count: bigint }>('SELECT count(*) FROM receipt')
  assert.equal(rows?.count, 15n, 'a refused payment posts no receipt')
  await assertTrueBooks(ledger)
})

test('holds, captures, receipts and returns on few cards over two replicas end in true books', async () => {
  await using ledger = await giftLedger()
  await using other = ledger.replica()
  const cards = await Promise.all(Array.from({ length: 3 }, () => sold(ledger)))
  const at = (index: number) => cards[index % cards.length]?.code ?? ''
  await Promise.all(
    Array.from({ length: 64 }, async (_, index) => {
      const { handlers } = index % 2 === 0 ? ledger : other
      const payments = [paidBy(at(index), 7_000n), paidBy(at(index + 1), 5_000n)]
      const sale = saleOf(`m${index}`, `c${index}`, { lines: lines(9_000n, 9_000n), giftCardPayments: payments })
      const posted = await handlers.postReceipt(sale, ledger.call)
      if (index % 3 === 0) await handlers.returnReceipt(returnOf(posted.receiptId, `r${index}`), ledger.call)
      const ask = {
        idempotencyKey: `h${index}`,
        brand: BRAND,
        code: at(index),
        amountMinor: 100n,
        reference: `b${index}`,
      }
      const { holdId } = await ledger.giftCards.holdGiftCard(HoldGiftCardRequest.fromPartial(ask), ledger.call)
      const on = { idempotencyKey: `o${index}`, brand: BRAND, holdId }
      if (index % 2 === 0) await ledger.giftCards.cancelGiftCardHold(on, ledger.call)
      else await ledger.giftCards.commitGiftCardHold({ ...on, amountMinor: 50n }, ledger.call)
    }),
  )
  await assertTrueBooks(ledger)
})

test('c17: a wrong PIN, a wrong code and a blocked card look the same, and after ten nothing is looked up', async () => {
  await using ledger = await giftLedger({ pin: true })
  const { clock } = ledger
  const { code, pin } = await sold(ledger)
  assert.match(pin, /^[0-9]{6}$/)
  const wrong = pin === '000000' ? '000001' : '000000'
  assert.equal((await shown(ledger, code.toLowerCase(), pin))?.availableMinor, 300_000n)
  for (let count = 0; count < 5; count += 1) {
    assert.equal(await codeOf(shown(ledger, code, wrong)), 'GIFT_CARD_INVALID')
    const sale = sell(ledger, { giftCardPayments: [paidBy(code, 100n, { pin: wrong })] })
    await assert.rejects(sale, { code: 'GIFT_CARD_INVALID', field: 'gift_card_payments[0].code' })
  }
  assert.equal(await codeOf(shown(ledger, code, pin)), 'RESOURCE_EXHAUSTED')
  const right = () => sell(ledger, { giftCardPayments: [paidBy(code, 100n, { pin })] })
  assert.equal(await codeOf(right()), 'RESOURCE_EXHAUSTED')
  clock.advance(60_000)
  assert.equal(typeof (await codeOf(right())), 'object')
})

test('a repeat gives the same answer, the same key with another body is refused, and cards tell of themselves', async () => {
  await using ledger = await giftLedger()
  const { giftCards, call } = ledger
  const [one] = await issue(ledger)
  const request = { idempotencyKey: 'a', brand: BRAND, code: one?.code ?? '', ...soldWith('cash') }
  const first = await giftCards.activateGiftCard(request, call)
  assert.deepEqual(await giftCards.activateGiftCard(request, call), first)
  assert.equal(await codeOf(giftCards.activateGiftCard({ ...request, tender: 'x' }, call)), 'IDEMPOTENCY_CONFLICT')
  const again = { ...request, idempotencyKey: 'b' }
  assert.equal(await codeOf(giftCards.activateGiftCard(again, call)), 'GIFT_CARD_INVALID', 'sold once')
  const rows = await ledger.database.query<{ subject: string; payload: Buffer }>('SELECT * FROM outbox ORDER BY id')
  const told = rows.flatMap(({ subject, payload }) => {
    const event = Event.decode(payload).payload
    return event?.$case === 'giftCard' ? [[subject, event.value.state, event.value.availableMinor]] : []
  })
  assert.deepEqual(told, [['ledger.demo.giftcard', 'active', 300_000n]])
})

test('cards are issued with a value of the programme, and listed by batch without their codes', async () => {
  await using ledger = await giftLedger()
  const { giftCards, call } = ledger
  const issued = await issue(ledger, 5)
  const request = { idempotencyKey: nextKey(), brand: BRAND, batchId: 'may', valueMinor: 1n, count: 1 }
  await assert.rejects(giftCards.issueGiftCards(request, call), { field: 'value_minor' })
  const page = { brand: BRAND, batchId: 'may', pageSize: 3, pageToken: '' }
  const first = await giftCards.listGiftCards(page, call)
  const second = await giftCards.listGiftCards({ ...page, pageToken: first.nextPageToken }, call)
  assert.deepEqual(
    [...first.cards, ...second.cards].map(({ cardId }) => cardId),
    issued.map(({ card }) => card?.cardId),
  )
  assert.equal(second.nextPageToken, '')
  await ledger.publish({})
  assert.equal(await codeOf(issue(ledger)), 'FAILED_PRECONDITION', 'the programme has none any more')
})

test('every rule of gift cards finds the row that breaks it', async () => {
  await using ledger = await giftLedger()
  const { code, id } = await sold(ledger)
  const { receiptId } = await sell(ledger, { lines: lines(4_000n), giftCardPayments: [paidBy(code, 3_000n)] })
  await ledger.handlers.returnReceipt(returnOf(receiptId, 'r'), ledger.call)
  await sell(ledger, { lines: lines(4_000n), giftCardPayments: [paidBy(code, 2_000n)] })
  const hold = { idempotencyKey: 'h', brand: BRAND, code, amountMinor: 500n, reference: 'b' }
  await ledger.giftCards.holdGiftCard(HoldGiftCardRequest.fromPartial(hold), ledger.call)
  const [money, open] = [
    'the money of a gift card equals its entries',
    'open holds of a gift card do not exceed its money',
  ]
  const paid = 'what gift cards paid is booked by its receipt or hold, once'
  const back = 'what came back to gift cards is booked by their returns'
  const rules = await assertFound(ledger.database, [
    [money, `UPDATE gift_card SET balance_minor = balance_minor + 1`],
    [money, `DELETE FROM money_posting WHERE kind = 'gift_sale'`],
    [money, `DELETE FROM gift_card`],
    [open, `UPDATE gift_card_hold SET amount_minor = 400000`],
    [open, `UPDATE gift_card SET state = 'blocked' WHERE card_id = '${id}'`],
    [paid, `DELETE FROM gift_card_payment WHERE returned_minor = 0`],
    [paid, `UPDATE money_posting SET cause_id = posting_id WHERE kind = 'gift_use'`],
    [paid, `UPDATE gift_card_hold SET state = 'committed', committed_minor = 500`],
    [back, `UPDATE gift_card_payment SET returned_minor = returned_minor - 1 WHERE returned_minor > 0`],
    [back, `UPDATE money_posting SET cause_id = posting_id WHERE kind = 'gift_return'`],
  ])
  assert.equal(rules, 4)
})

test('the database itself refuses to change the money books and to take a card below zero', async () => {
  await using ledger = await giftLedger()
  const { code } = await sold(ledger)
  await sell(ledger, { lines: lines(4_000n), giftCardPayments: [paidBy(code, 3_000n)] })
  for (const statement of [
    'UPDATE money_posting SET entry_amounts[1] = 1',
    'DELETE FROM money_posting',
    'TRUNCATE money_posting',
    `INSERT INTO money_posting SELECT brand, card_id, 'gift_sale', card_id, '', now(), now(), '{tender}', '{cash}', '{1}' FROM gift_card`,
    'UPDATE gift_card SET balance_minor = -1',
    'UPDATE gift_card_payment SET returned_minor = amount_minor + 1',
    'UPDATE gift_card_payment SET line_parts[1] = 1',
  ]) {
    await assert.rejects(ledger.database.query(statement), `allowed: ${statement}`)
  }
})
