import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BRAND, codeOf, keepPostgres, member, returnOf, saleOf, testLedger } from './testing/ledger.ts'

keepPostgres()

const sale = { storeId: 'store', tillId: 'till', number: '1', businessDay: '2026-11-20' }

test('a return names its sale as the till knows it, alone and in a batch', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  const lines = [{ sku: 'sku', quantity: 2n, amountMinor: 2_000n, category: '' }]
  const posted = await handlers.postReceipt(saleOf('ann', '1', { lines }), call)
  const back = await handlers.returnReceipt(returnOf('', 'r1', { sale }), call)
  assert.deepEqual([back.refundMinor, back.pointsReversed], [1_000n, 50n])
  const items = [returnOf('', 'r2', { sale }), returnOf('', 'r3', { sale: { ...sale, number: 'none' } })].map(
    (value) => {
      return { item: { $case: 'return' as const, value } }
    },
  )
  const { results } = await handlers.postReceiptBatch({ brand: BRAND, items }, call)
  assert.deepEqual(
    results.map(({ result }) => (result?.$case === 'error' ? result.value.code : result?.$case)),
    ['return', 'NOT_FOUND'],
  )
  const { lines: kept } = await handlers.getReceipt({ brand: BRAND, receiptId: posted.receiptId }, call)
  assert.equal(kept[0]?.returned, 2n)
})

test('a return that names its sale wrongly is told so by the field', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  await handlers.postReceipt(saleOf('ann', '1'), call)
  const asked = (more: object, id = '') => handlers.returnReceipt(returnOf(id, 'r', more), call)
  assert.equal(await codeOf(asked({ sale, memberId: member('bob') })), 'NOT_FOUND')
  await assert.rejects(asked({ sale: { ...sale, businessDay: '2026-02-30' } }), /sale.business_day/)
  await assert.rejects(asked({ sale: { ...sale, tillId: '' } }), /sale.till_id/)
  await assert.rejects(asked({ sale }, member('x')), /receipt_id/)
})
