import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillReceipts, RECEIPTS_EACH } from '../../bench/fill.ts'
import { codeOf, keepPostgres, saleOf, testLedger } from '../testing/ledger.ts'
import { verifyLedger } from '../verify.ts'
import { retireMonths } from './retention.ts'

keepPostgres()

const MEMBERS = 500
const KEPT_MONTHS = 6

test('10,000 receipts of 14 months: old months are detached while receipts are posted, and the books stay true', async () => {
  await using ledger = await testLedger()
  const { database, clock, handlers, call } = ledger
  await fillReceipts(database, { from: 0, to: MEMBERS, now: clock.now() })
  const filled = await verifyLedger(database)
  assert.deepEqual([filled.ok, filled.ok && filled.receipts], [true, BigInt(MEMBERS * RECEIPTS_EACH)])
  const posting = Promise.all(
    Array.from({ length: 200 }, (_, index) => codeOf(handlers.postReceipt(saleOf(`m${index}`, `n${index}`), call))),
  )
  const retired = await retireMonths(database, clock.now(), { keptMonths: KEPT_MONTHS })
  assert.equal(retired.filter(({ table }) => table === 'receipt').length, 14 - KEPT_MONTHS)
  const refused = (await posting).filter((answer) => typeof answer === 'string')
  assert.deepEqual(refused, [])
  assert.equal((await verifyLedger(database)).ok, true)
})
