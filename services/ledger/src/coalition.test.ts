import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GrantPointsRequest } from '@stampede/proto/points/v1'
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

const coalition = {
  participants: [
    { participantId: 'a', stores: ['a1'] },
    { participantId: 'b', stores: ['b1'], earnBasisPoints: 1_000 },
    { participantId: 'c', stores: ['c1'], maxPayBasisPoints: 5_000 },
  ],
}

/** Points that a participant gives and bears, for so many days. */
async function give(ledger: TestLedger, funder: string, points: bigint, liveDays: number) {
  const key = `${funder}${points}`
  const more = { idempotencyKey: key, eventKey: key, points, liveDays, funder }
  const grant = GrantPointsRequest.fromPartial({ brand: BRAND, memberId: member('ann'), ...more })
  await ledger.points.grantPoints(grant, ledger.call)
}

/** Buys at a store for so many points, which pay half of it at most. */
async function pay(ledger: TestLedger, storeId: string, points: bigint) {
  const { holdId } = await ledger.handlers.createHold(holdOf('ann', points, storeId), ledger.call)
  const lines = [{ sku: 'sku', quantity: 2n, amountMinor: points * 2n, category: '' }]
  const sale = saleOf('ann', storeId, { storeId, holdId, pointsToPay: points, lines })
  return ledger.handlers.postReceipt(sale, ledger.call)
}

async function settled(ledger: TestLedger, account = 'settle') {
  const request = { brand: BRAND, account, prefix: '', pageSize: 0, pageToken: '' }
  const { balances } = await ledger.money.listMoneyBalances(request, ledger.call)
  return Object.fromEntries(balances.map(({ party, amountMinor }) => [party, amountMinor]))
}

test('c21.12: points of A and B pay at C and at A; half of the receipt of C comes back', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  await ledger.publish({ coalition, earnBasisPoints: 0 })
  await give(ledger, 'a', 500n, 100)
  await give(ledger, 'b', 300n, 200)
  const atC = await pay(ledger, 'c1', 600n)
  await pay(ledger, 'a1', 150n)
  assert.deepEqual(await settled(ledger), { a: -350n, b: -250n, c: 600n })
  await handlers.returnReceipt(returnOf(atC.receiptId, 'half'), call)
  assert.deepEqual(await settled(ledger), { a: -150n, b: -150n, c: 300n })
  const { balance } = await handlers.getBalance({ brand: BRAND, memberId: member('ann') }, call)
  assert.deepEqual(
    balance?.expiries.map(({ points }) => points),
    [200n, 150n],
  )
  await assertTrueBooks(ledger)
})

test('c21.12: a period is closed against the bank, once; what comes later is of the next', async () => {
  await using ledger = await testLedger()
  const { money, call, clock } = ledger
  await ledger.publish({ coalition, earnBasisPoints: 0 })
  await give(ledger, 'a', 500n, 100)
  await pay(ledger, 'c1', 400n)
  const close = { idempotencyKey: 'november', brand: BRAND, until: new Date(clock.nowMs()) }
  const closed = await money.closeSettlement(close, call)
  assert.deepEqual(closed.transfers, [
    { participantId: 'a', amountMinor: -400n },
    { participantId: 'c', amountMinor: 400n },
  ])
  assert.deepEqual(await money.closeSettlement(close, call), closed)
  assert.deepEqual((await money.closeSettlement({ ...close, idempotencyKey: 'again' }, call)).transfers, [])
  assert.deepEqual(await settled(ledger, 'bank'), { a: -400n, c: 400n })
  const ahead = { ...close, idempotencyKey: 'ahead', until: new Date(clock.nowMs() + 1) }
  assert.equal(await codeOf(money.closeSettlement(ahead, call)), 'INVALID_ARGUMENT')
})

test('c21.12: rates, the share that points pay, and who bears the points are of the brand of the store', async () => {
  await using ledger = await testLedger()
  const { handlers, database, call } = ledger
  await ledger.publish({ coalition })
  assert.equal((await handlers.postReceipt(saleOf('bob', '1', { storeId: 'a1' }), call)).pointsEarned, 100n)
  assert.equal((await handlers.postReceipt(saleOf('bob', '2', { storeId: 'b1' }), call)).pointsEarned, 200n)
  const funders = await database.query('SELECT funder, amount FROM lot ORDER BY funder')
  assert.deepEqual(funders, [
    { funder: 'a', amount: 100n },
    { funder: 'b', amount: 200n },
  ])
  const { holdId } = await handlers.createHold(holdOf('bob', 300n, 'basket'), call)
  const lines = [{ sku: 'sku', quantity: 1n, amountMinor: 400n, category: '' }]
  const sale = saleOf('bob', '3', { storeId: 'c1', holdId, pointsToPay: 201n, lines })
  assert.equal(await codeOf(handlers.postReceipt(sale, call)), 'INVALID_ARGUMENT')
  assert.equal(await codeOf(handlers.postReceipt(saleOf('bob', '4', { storeId: 'x' }), call)), 'INVALID_ARGUMENT')
})

test('c21.12: the operator gets its fee from whoever gave the points, rounded down for each', async () => {
  await using ledger = await testLedger()
  await ledger.publish({ coalition: { ...coalition, operator: 'club', feeBasisPoints: 250 }, earnBasisPoints: 0 })
  await give(ledger, 'a', 500n, 100)
  await give(ledger, 'b', 300n, 200)
  await pay(ledger, 'c1', 610n)
  assert.deepEqual(await settled(ledger), { a: -512n, b: -112n, c: 610n, club: 14n })
  await assertTrueBooks(ledger)
})

test('a coalition without stores, with one twice, or with a fee for nobody is refused by name', async () => {
  await using ledger = await testLedger()
  const one = { participantId: 'a', stores: ['s'] }
  const wrong = [
    { participants: [one] },
    { participants: [one, { participantId: 'b', stores: [] }] },
    { participants: [one, { participantId: 'b', stores: ['s'] }] },
    { ...coalition, feeBasisPoints: 1 },
  ]
  for (const bad of wrong) assert.equal(await codeOf(ledger.publish({ coalition: bad })), 'INVALID_ARGUMENT')
})
