import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PostReceiptRequest } from '@stampede/proto/ledger/v1'
import { assertTrueBooks } from './testing/damages.ts'
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

/** A receipt of 20.00 that points have paid a part of while the till had no connection. */
const offlineSale = (name: string, number: string, pointsToPay: bigint, more: Partial<PostReceiptRequest> = {}) =>
  saleOf(name, number, { offline: true, pointsToPay, ...more })

async function balanceOf(ledger: TestLedger, name: string) {
  const { balance } = await ledger.handlers.getBalance({ brand: BRAND, memberId: member(name) }, ledger.call)
  return [balance?.available, balance?.debt]
}

test('c16: a till without a connection earns only, unless the programme sets a limit', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  assert.equal((await handlers.postReceipt(offlineSale('ann', '1', 0n), call)).pointsEarned, 100n)
  assert.equal(await codeOf(handlers.postReceipt(offlineSale('ann', '2', 50n), call)), 'FAILED_PRECONDITION')
  await ledger.publish({ offlinePayLimit: 500n })
  const paid = await handlers.postReceipt(offlineSale('ann', '2', 50n), call)
  assert.deepEqual([paid.pointsSpent, paid.pointsShort, paid.pointsEarned], [50n, 0n, 97n])
  const { holdId } = await handlers.createHold(holdOf('ann', 10n, 'basket'), call)
  assert.equal(await codeOf(handlers.postReceipt(offlineSale('ann', '3', 10n, { holdId }), call)), 'INVALID_ARGUMENT')
  await assertTrueBooks(ledger)
})

test('c16: what the member does not have is told and never refused; a return gives back what was taken', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  await ledger.publish({ offlinePayLimit: 500n })
  await handlers.postReceipt(saleOf('bob', '1'), call)
  const lines = [{ sku: 'sku', quantity: 4n, amountMinor: 2_000n, category: '' }]
  const paid = await handlers.postReceipt(offlineSale('bob', '2', 160n, { lines }), call)
  assert.deepEqual([paid.pointsSpent, paid.pointsShort], [100n, 60n])
  assert.deepEqual(await balanceOf(ledger, 'bob'), [92n, 0n])
  const back = (name: string, quantity: bigint) =>
    handlers.returnReceipt(returnOf(paid.receiptId, name, { lines: [{ lineIndex: 0, quantity }] }), call)
  // Three of four pieces were paid by 120 points: 60 of nothing, 60 of the member.
  const three = await back('three', 3n)
  assert.deepEqual([three.refundMinor, three.pointsRestored, three.pointsReversed], [1_380n, 60n, 69n])
  const last = await back('last', 1n)
  assert.deepEqual([last.refundMinor, last.pointsRestored, last.pointsReversed], [460n, 40n, 23n])
  assert.deepEqual(await balanceOf(ledger, 'bob'), [100n, 0n])
  await assertTrueBooks(ledger)
})

test('c16: a member pays at most the limit of a day without a connection, on two replicas at once', async () => {
  await using ledger = await testLedger()
  await using other = ledger.replica()
  await ledger.publish({ offlinePayLimit: 120n })
  const earned = [{ sku: 'sku', quantity: 1n, amountMinor: 40_000n, category: '' }]
  await ledger.handlers.postReceipt(saleOf('eve', 'first', { lines: earned }), ledger.call)
  const paid = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      (index % 2 ? other : ledger).handlers.postReceipt(offlineSale('eve', `${index}`, 50n), ledger.call),
    ),
  )
  assert.equal(
    paid.reduce((sum, { pointsSpent }) => sum + pointsSpent, 0n),
    120n,
  )
  const later = offlineSale('eve', 'later', 50n, { occurredAt: new Date('2026-11-21T01:00:00Z') })
  assert.equal((await ledger.handlers.postReceipt(later, ledger.call)).pointsSpent, 50n)
  await assertTrueBooks(ledger)
})
