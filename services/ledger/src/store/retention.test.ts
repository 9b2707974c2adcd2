import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flushDue } from '../flush/flush.ts'
import { BRAND, codeOf, holdOf, keepPostgres, member, returnOf, saleOf, testLedger } from '../testing/ledger.ts'
import { verifyLedger } from '../verify.ts'
import { retireMonths } from './retention.ts'

keepPostgres()

const DAY_MS = 86_400_000

test('old months are detached; the books begin with what they came to, and nothing else changes', async () => {
  await using ledger = await testLedger()
  const { handlers, call, clock, database } = ledger
  const balance = async (name: string) =>
    (await handlers.getBalance({ brand: BRAND, memberId: member(name) }, call)).balance?.available
  const old = await handlers.postReceipt(saleOf('ann', '1'), call)
  await handlers.postReceipt(saleOf('ann', '2'), call)
  const { holdId } = await handlers.createHold(holdOf('ann', 150n, 'basket'), call)
  await handlers.commitHold({ idempotencyKey: 'c', brand: BRAND, holdId, points: 130n }, call)
  await handlers.createHold(holdOf('bob', 1n, 'x'), call).catch(() => undefined)

  const month = async (number: string) => {
    clock.advance(31 * DAY_MS)
    return handlers.postReceipt(saleOf('ann', number, { occurredAt: clock.now() }), call)
  }
  const december = await month('3')
  for (let count = 4; count < 8; count += 1) await month(String(count))

  const retired = await retireMonths(database, clock.now(), { keptMonths: 2 })
  assert.deepEqual(
    retired.map(({ table, month: first }) => `${table} ${first}`),
    ['2026-11-01', '2026-12-01', '2027-01-01'].flatMap((first) => [`posting ${first}`, `receipt ${first}`]),
  )
  assert.deepEqual(await verifyLedger(database), { ok: true, transactions: 3n, receipts: 3n })
  assert.equal(await balance('ann'), 570n)
  assert.equal(await codeOf(handlers.returnReceipt(returnOf(old.receiptId, 'r'), call)), 'NOT_FOUND')
  assert.deepEqual(
    (await database.query<{ receipt_id: string }>('SELECT receipt_id FROM receipt_2026_12')).map(
      (row) => row.receipt_id,
    ),
    [december.receiptId],
    'a detached month is still there to be archived',
  )

  await month('8')
  assert.equal((await retireMonths(database, clock.now(), { keptMonths: 2 })).length, 2)
  assert.equal((await verifyLedger(database)).ok, true)
  const damaged = `UPDATE opening SET entry_amounts[1] = entry_amounts[1] + 1`
  await database.query(damaged)
  assert.equal((await verifyLedger(database)).ok, false, 'openings are part of the books')
})

test('answers go when their month is over for 400 days, and only then', async () => {
  await using ledger = await testLedger()
  const { handlers, call, clock, database, flushContext } = ledger
  await handlers.postReceipt(saleOf('ann', '1'), call)
  const endOfNovember = Date.parse('2026-12-01T00:00:00Z')
  clock.advance(endOfNovember + 400 * DAY_MS - clock.nowMs() - 1)
  assert.deepEqual(await retireMonths(database, clock.now(), { keptMonths: undefined }), [])
  clock.advance(1)
  assert.deepEqual(await retireMonths(database, clock.now(), { keptMonths: undefined }), [
    { table: 'idempotency', month: '2026-11-01' },
  ])
  await flushDue(flushContext, 10)
  assert.equal((await verifyLedger(database)).ok, true)
  const again = saleOf('ann', '1', { idempotencyKey: 'a year later' })
  assert.equal(await codeOf(handlers.postReceipt(again, call)), 'ALREADY_EXISTS', 'the receipt is still known')
})

test('a flush makes the months that its receipts need, however old they are', async () => {
  await using ledger = await testLedger()
  const { handlers, call, database } = ledger
  for (const [index, day] of ['1997-01-05', '2011-06-30', '2026-11-19'].entries()) {
    await handlers.postReceipt(saleOf('ann', String(index), { occurredAt: new Date(`${day}T12:00:00Z`) }), call)
  }
  const rows = await database.query<{ month: string; matches: boolean }>(
    `SELECT to_char(month, 'YYYY-MM') AS month, business_month(receipt_id) = month AS matches FROM receipt ORDER BY month`,
  )
  assert.deepEqual(rows, [
    { month: '1997-01', matches: true },
    { month: '2011-06', matches: true },
    { month: '2026-11', matches: true },
  ])
})
