import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GrantPointsRequest } from '@stampede/proto/points/v1'
import { assertFound, type Damage } from './testing/damages.ts'
import { BRAND, holdOf, keepPostgres, member, returnOf, saleOf, type TestLedger, testLedger } from './testing/ledger.ts'
import { verifyLedger } from './verify.ts'

keepPostgres()

/** A little of everything: sales, a spend, an open hold, a return. */
async function used(ledger: TestLedger): Promise<void> {
  const { handlers, points, call } = ledger
  await ledger.publish({ transferLimit: 1_000n, adjustLimit: 10n, stampCards: [{ cardId: 'coffee', target: 5 }] })
  const { receiptId } = await handlers.postReceipt(saleOf('ann', '1'), call)
  const hold = await handlers.createHold(holdOf('ann', 50n, 'basket'), call)
  await handlers.postReceipt(saleOf('ann', '2', { holdId: hold.holdId, pointsToPay: 20n }), call)
  await handlers.returnReceipt(returnOf(receiptId, 'r'), call)
  await handlers.postReceipt(saleOf('bob', '3'), call)
  await handlers.createHold(holdOf('bob', 30n, 'basket'), call)
  const cat = { brand: BRAND, memberId: member('cat') }
  await points.grantPoints(GrantPointsRequest.fromPartial({ ...cat, ...grantOf('birthday', 90n) }), call)
  await points.correctGrant({ ...cat, idempotencyKey: 'c', eventKey: 'birthday', points: 80n }, call)
  await points.transferPoints({ ...cat, idempotencyKey: 't', toMemberId: member('dan'), points: 20n }, call)
  await points.adjustPoints({ ...cat, idempotencyKey: 'a', points: 5n, reason: 'late' }, call)
}

const grantOf = (eventKey: string, points: bigint) => ({ idempotencyKey: eventKey, eventKey, points })

const ann = `member_id = '${member('ann')}'`
const bob = `member_id = '${member('bob')}'`

const damages: readonly Damage[] = [
  [
    'the entries of a transaction sum to zero',
    `UPDATE posting SET entry_amounts[1] = entry_amounts[1] + 1 WHERE ${ann} AND version = 1`,
  ],
  ['the versions of an account have no gap', `DELETE FROM posting WHERE ${ann} AND version = 1`],
  ['the versions of an account have no gap', `UPDATE account SET version = version + 1 WHERE ${ann}`],
  ['every transaction belongs to an account', `DELETE FROM account WHERE ${bob}`],
  ['the totals of an account equal its entries', `UPDATE account SET available = available + 1 WHERE ${ann}`],
  ['the totals of an account equal its entries', `UPDATE account SET debt = debt + 1 WHERE ${ann}`],
  ['the totals of an account equal its entries', `UPDATE account SET lifetime_earned = 7 WHERE ${ann}`],
  [
    'the allocations of a transaction equal its entries',
    `UPDATE posting SET lot_available[1] = lot_available[1] + 1 WHERE ${ann} AND version = 1`,
  ],
  [
    'what is left of a lot equals its allocations',
    `UPDATE lot SET available = available + CASE WHEN available = 0 THEN 1 ELSE -1 END WHERE ${ann}`,
  ],
  ['the lots of an account sum to its totals', `UPDATE lot SET available = available - 1 WHERE ${bob}`],
  [
    'the lots of an account sum to its totals',
    `UPDATE lot SET available = 69, held = 31 WHERE ${bob} AND currency = 'points'`,
  ],
  ['the lots of a hold sum to its points', `UPDATE hold SET points = points + 1 WHERE ${bob}`],
  ['the held part of a lot is what open holds hold', `UPDATE hold SET state = 'cancelled' WHERE ${bob}`],
  [
    'a receipt has exactly the entries of its points, once',
    `UPDATE receipt SET points_earned = points_earned + 1 WHERE number = '3'`,
  ],
  ['points are earned, spent and returned by receipts only', `DELETE FROM receipt WHERE number = '3'`],
  [
    'a receipt has exactly the entries of its stamps, once',
    `UPDATE stamp_receipt SET line_earned = '{2}' WHERE ${bob}`,
  ],
  ['a receipt has exactly the entries of its stamps, once', `DELETE FROM stamp_receipt WHERE ${bob}`],
  ['an event has exactly the entries of its points', `UPDATE event_grant SET points = points + 1`],
  ['a posted adjustment has exactly its entries, another has none', `UPDATE adjustment SET points = points + 1`],
  [
    'a posted adjustment has exactly its entries, another has none',
    `UPDATE adjustment SET state = 'rejected', resolved_by = 'x'`,
  ],
  [
    'transfers take from one member what they give to another',
    `UPDATE posting SET cause_id = transaction_id WHERE kind = 'transfer' AND member_id = '${member('dan')}'`,
  ],
  ['the lines of a sale sum to it', `UPDATE receipt SET line_amounts[1] = line_amounts[1] + 1 WHERE kind = 'sale'`],
  [
    'what is returned of a line is the sum of its returns',
    `UPDATE receipt SET line_returned[1] = 1 - line_returned[1] WHERE kind = 'sale'`,
  ],
  ['returns do not exceed their sale', `UPDATE receipt SET total_minor = 2001 WHERE kind = 'return'`],
  [
    'the answer to a receipt points to it',
    `UPDATE idempotency SET cause_id = '${member('none')}' WHERE key = 'sale-3'`,
  ],
]

test('every rule of the books finds the row that breaks it', async () => {
  await using ledger = await testLedger()
  await used(ledger)
  assert.equal(await assertFound(ledger.database, damages), 19)
})

test('the database itself refuses to change what was posted and to take a balance below zero', async () => {
  await using ledger = await testLedger()
  await used(ledger)
  for (const statement of [
    'UPDATE posting SET entry_amounts[1] = 1',
    'DELETE FROM posting',
    'TRUNCATE posting',
    'DELETE FROM posting_2026_11',
    'TRUNCATE posting_2026_11',
    'UPDATE account SET available = -1',
    'UPDATE lot SET available = amount + 1',
    'UPDATE hold SET lot_points = array_append(lot_points, 1::bigint)',
  ]) {
    await assert.rejects(ledger.database.query(statement), `allowed: ${statement}`)
  }
  assert.equal((await verifyLedger(ledger.database)).ok, true)
})
