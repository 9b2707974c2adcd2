import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReturnReceiptRequest, SyncReceiptsRequest, SyncReceiptsResponse } from '@stampede/proto/ledger/v1'
import { postParked } from './jobs/parked-returns.ts'
import { BRAND, codeOf, keepPostgres, member, returnOf, saleOf, type TestLedger, testLedger } from './testing/ledger.ts'

keepPostgres()

const DAY_MS = 86_400_000
/** A return of the sale with this number, whether or not it is there. */
const parkedOf = (number: string, returnId: string, more: Partial<ReturnReceiptRequest> = {}) =>
  returnOf('', returnId, {
    sale: { storeId: 'store', tillId: 'till', number, businessDay: '2026-11-20' },
    mayPark: true,
    ...more,
  })

async function balanceOf(ledger: TestLedger, name: string) {
  const { balance } = await ledger.handlers.getBalance({ brand: BRAND, memberId: member(name) }, ledger.call)
  return balance
}

async function listed(ledger: TestLedger) {
  const request = { brand: BRAND, pageSize: 0, pageToken: '' }
  const { returns } = await ledger.parked.listParkedReturns(request, ledger.call)
  return returns.map(({ returnId, state, error }) => [returnId, state, error?.code])
}

test('c16: a return before its sale waits for it and is posted once', async () => {
  await using ledger = await testLedger()
  const { handlers, call, context } = ledger
  const parked = await handlers.returnReceipt(parkedOf('1', 'r1'), call)
  assert.equal(parked.returnReceiptId, '')
  assert.equal(parked.parkedUntil?.getTime(), ledger.clock.nowMs() + 45 * DAY_MS)
  assert.deepEqual(await handlers.returnReceipt(parkedOf('1', 'r1'), call), parked)
  assert.equal(await postParked(context, 100), 0)
  assert.deepEqual(await listed(ledger), [['r1', 'parked', undefined]])

  await handlers.postReceipt(saleOf('ann', '1'), call)
  assert.equal((await balanceOf(ledger, 'ann'))?.available, 100n)
  assert.equal(await postParked(context, 100), 1)
  assert.equal((await balanceOf(ledger, 'ann'))?.available, 0n)
  assert.equal(await postParked(context, 100), 0)
  assert.deepEqual(await listed(ledger), [])

  const again = await handlers.returnReceipt(parkedOf('1', 'r1', { idempotencyKey: 'another' }), call)
  assert.equal(again.refundMinor, 2_000n)
  assert.equal((await balanceOf(ledger, 'ann'))?.available, 0n)
})

test('a till that does not ask for it gets NOT_FOUND, and a parked return_id cannot be used for something else', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  assert.equal(await codeOf(handlers.returnReceipt(parkedOf('1', 'r1', { mayPark: false }), call)), 'NOT_FOUND')
  await handlers.returnReceipt(parkedOf('1', 'r1'), call)
  assert.equal(
    await codeOf(handlers.returnReceipt(parkedOf('2', 'r1', { idempotencyKey: 'other' }), call)),
    'ALREADY_EXISTS',
  )
  assert.equal(await codeOf(handlers.returnReceipt(parkedOf('2', 'r1'), call)), 'IDEMPOTENCY_CONFLICT')
})

test('a parked return that does not fit its sale is refused by name, and one whose sale never comes runs out', async () => {
  await using ledger = await testLedger()
  const { handlers, call, context, clock } = ledger
  await handlers.returnReceipt(parkedOf('1', 'r1', { lines: [{ lineIndex: 7, quantity: 1n }] }), call)
  await handlers.returnReceipt(parkedOf('2', 'r2'), call)
  await handlers.postReceipt(saleOf('ann', '1'), call)
  assert.equal(await postParked(context, 100), 1)
  clock.advance(45 * DAY_MS)
  assert.equal(await postParked(context, 100), 0)
  assert.deepEqual(await listed(ledger), [
    ['r1', 'refused', 'INVALID_ARGUMENT'],
    ['r2', 'timed_out', undefined],
  ])
  const anew = await handlers.returnReceipt(parkedOf('2', 'r2', { idempotencyKey: 'anew' }), call)
  assert.equal(anew.parkedUntil?.getTime(), clock.nowMs() + 45 * DAY_MS)
})

test('c16: one stream takes returns and sales in any order, each with its own result', async () => {
  await using ledger = await testLedger()
  const { handlers, call, context, flushes } = ledger
  const sale = (number: string): SyncReceiptsRequest => ({
    brand: BRAND,
    item: { item: { $case: 'sale', value: { ...saleOf('bob', number), brand: '' } } },
  })
  async function* requests(): AsyncIterable<SyncReceiptsRequest> {
    yield { brand: BRAND, item: { item: { $case: 'return', value: parkedOf('9', 'r9') } } }
    for (let number = 0; number < 50; number += 1) yield sale(`${number}`)
    yield { brand: BRAND, item: undefined }
    yield sale('9')
  }
  const answers: SyncReceiptsResponse[] = []
  for await (const answer of handlers.syncReceipts(requests(), call)) answers.push(answer)
  assert.deepEqual(
    answers.map(({ index }) => index),
    [...Array(53).keys()].map(BigInt),
  )
  assert.equal(answers[51]?.result?.result?.$case, 'error')
  assert.deepEqual(answers[52]?.result?.result, answers[10]?.result?.result)
  assert(flushes.length < 10, `${flushes.length} transactions for 51 receipts`)
  assert.equal(await postParked(context, 100), 1)
  assert.equal((await balanceOf(ledger, 'bob'))?.available, 4_900n)
})
