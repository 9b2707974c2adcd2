import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GrantPointsRequest } from '@stampede/proto/points/v1'
import { type DeepPartial, OrderRewardRequest, Reward } from '@stampede/proto/rewards/v1'
import { assertFound, assertTrueBooks } from './testing/damages.ts'
import { BRAND, codeOf, keepPostgres, member, type TestLedger, testLedger } from './testing/ledger.ts'

keepPostgres()

const DAY_MS = 86_400_000
const ann = { brand: BRAND, memberId: member('ann') }

/** Publishes a reward of 900 points, with so many pieces or these codes. */
async function offer(ledger: TestLedger, stock: bigint | readonly string[], more: DeepPartial<Reward> = {}) {
  const plain = { rewardId: 'mug', points: 900n, stocked: true, cancelDays: 30 }
  const reward = Reward.fromPartial({ ...plain, ...more })
  await ledger.rewards.putReward({ idempotencyKey: 'put', brand: BRAND, reward }, ledger.call)
  const change = typeof stock === 'bigint' ? { pieces: stock, codes: [] } : { pieces: 0n, codes: [...stock] }
  const { rewardId } = reward
  await ledger.rewards.changeRewardStock({ idempotencyKey: 'stock', brand: BRAND, rewardId, ...change }, ledger.call)
}

/** Gives a member points that live for so many days. */
async function give(ledger: TestLedger, name: string, points: bigint, liveDays = 100) {
  const grant = { idempotencyKey: `${name}${points}`, eventKey: `${name}${points}`, points, liveDays }
  const request = GrantPointsRequest.fromPartial({ brand: BRAND, memberId: member(name), ...grant })
  await ledger.points.grantPoints(request, ledger.call)
}

const orderOf = (name: string, more: DeepPartial<OrderRewardRequest> = {}) =>
  OrderRewardRequest.fromPartial({
    idempotencyKey: `order-${name}`,
    brand: BRAND,
    memberId: member(name),
    rewardId: 'mug',
    quantity: 1,
    ...more,
  })
const cancelOf = (orderId = '', quantity = 0, key = 'cancel') => ({
  ...ann,
  idempotencyKey: `${key}${quantity}`,
  orderId,
  quantity,
})

async function stockOf(ledger: TestLedger) {
  const { rewards } = await ledger.rewards.listRewards({ brand: BRAND, pageSize: 0, pageToken: '' }, ledger.call)
  const { free, reserved, delivered } = rewards[0]?.stock ?? {}
  return [free, reserved, delivered]
}

test('c21.15: 900 points of two lots, the last piece; cancelled, lots and stock are as before', async () => {
  await using ledger = await testLedger()
  const { rewards, call } = ledger
  await give(ledger, 'ann', 500n, 20)
  await give(ledger, 'ann', 600n, 200)
  await offer(ledger, 1n)
  const placed = await rewards.orderReward(orderOf('ann'), call)
  assert.equal(placed.balance?.available, 200n)
  assert.deepEqual(await rewards.orderReward(orderOf('ann'), call), placed)
  assert.deepEqual(await stockOf(ledger), [0n, 1n, 0n])
  const cancelled = await rewards.cancelRewardOrder(cancelOf(placed.order?.orderId), call)
  assert.equal(cancelled.order?.state, 'cancelled')
  assert.deepEqual(
    cancelled.balance?.expiries.map(({ points }) => points),
    [500n, 600n],
  )
  assert.deepEqual(await stockOf(ledger), [1n, 0n, 0n])
  await assertTrueBooks(ledger)
})

test('c21.15: points of a lot that has ended come back as a grace lot of 14 days', async () => {
  await using ledger = await testLedger()
  const { rewards, call, clock } = ledger
  await give(ledger, 'ann', 500n, 20)
  await give(ledger, 'ann', 600n, 200)
  await offer(ledger, 1n)
  const { order } = await rewards.orderReward(orderOf('ann'), call)
  clock.advance(25 * DAY_MS)
  const { balance } = await rewards.cancelRewardOrder(cancelOf(order?.orderId), call)
  const [grace, old] = balance?.expiries ?? []
  assert.deepEqual([grace?.points, old?.points], [500n, 600n])
  // 15 December and fourteen days more, to the end of the day in Berlin.
  assert.equal(grace?.expiresAt?.toISOString(), '2026-12-29T23:00:00.000Z')
  await assertTrueBooks(ledger)
})

test('pieces are cancelled in parts, each point once', async () => {
  await using ledger = await testLedger()
  const { rewards, call } = ledger
  await give(ledger, 'ann', 2_800n)
  await offer(ledger, 5n)
  const { order } = await rewards.orderReward(orderOf('ann', { quantity: 3, expectedPoints: 2_700n }), call)
  const one = await rewards.cancelRewardOrder(cancelOf(order?.orderId, 1), call)
  assert.deepEqual([one.pointsRestored, one.order?.state, one.order?.cancelled], [900n, 'placed', 1])
  assert.equal(await codeOf(rewards.cancelRewardOrder(cancelOf(order?.orderId, 3), call)), 'INVALID_ARGUMENT')
  const rest = await rewards.cancelRewardOrder(cancelOf(order?.orderId), call)
  assert.deepEqual([rest.pointsRestored, rest.balance?.available], [1_800n, 2_800n])
  assert.equal(
    await codeOf(rewards.cancelRewardOrder(cancelOf(order?.orderId, 0, 'more'), call)),
    'FAILED_PRECONDITION',
  )
  await assertTrueBooks(ledger)
})

test('what is refused takes neither points nor stock, and says why', async () => {
  await using ledger = await testLedger()
  const { rewards, call, clock } = ledger
  await give(ledger, 'ann', 2_800n)
  await offer(ledger, 2n, { memberLimit: 2, until: new Date(clock.nowMs() + DAY_MS) })
  const asks = [
    [{ quantity: 4 }, 'FAILED_PRECONDITION'],
    [{ rewardId: 'nothing' }, 'NOT_FOUND'],
    [{ expectedPoints: 1n }, 'FAILED_PRECONDITION'],
    [{ quantity: 0 }, 'INVALID_ARGUMENT'],
    [{ memberId: member('bob') }, 'INSUFFICIENT_POINTS'],
  ] as const
  for (const [index, [more, code]] of asks.entries()) {
    const order = orderOf('ann', { ...more, idempotencyKey: `ask${index}` })
    assert.equal(await codeOf(rewards.orderReward(order, call)), code)
  }
  assert.deepEqual(await stockOf(ledger), [2n, 0n, 0n])
  clock.advance(DAY_MS)
  assert.equal(await codeOf(rewards.orderReward(orderOf('ann'), call)), 'FAILED_PRECONDITION')
  await assertTrueBooks(ledger)
})

test('c21.15: of 40 members who order the last 3 at once on two replicas, 37 keep their points', async () => {
  await using ledger = await testLedger()
  await using other = ledger.replica()
  const names = Array.from({ length: 40 }, (_, index) => `m${index}`)
  await Promise.all(names.map((name) => give(ledger, name, 900n)))
  await offer(ledger, 3n)
  const codes = await Promise.all(
    names.map((name, index) => codeOf((index % 2 ? other : ledger).rewards.orderReward(orderOf(name), ledger.call))),
  )
  assert.equal(codes.filter((code) => code === 'OUT_OF_STOCK').length, 37)
  assert.deepEqual(await stockOf(ledger), [0n, 3n, 0n])
  const balances = await Promise.all(
    names.map((name) => ledger.handlers.getBalance({ brand: BRAND, memberId: member(name) }, ledger.call)),
  )
  assert.equal(balances.filter(({ balance }) => balance?.available === 900n).length, 37)
  await assertTrueBooks(ledger)
})

test('c21.15: a voucher shows its code when it is handed over, is owed to its partner, and is not cancelled then', async () => {
  await using ledger = await testLedger()
  const { rewards, call, database } = ledger
  await give(ledger, 'ann', 2_700n)
  await offer(ledger, ['AAA', 'BBB'], { kind: 'voucher', stocked: false, partner: 'cinema', costMinor: 700n })
  const first = await rewards.orderReward(orderOf('ann'), call)
  const orderId = first.order?.orderId ?? ''
  assert.deepEqual(first.order?.codes, [])
  await rewards.cancelRewardOrder(cancelOf(orderId), call)
  const second = await rewards.orderReward(orderOf('ann', { idempotencyKey: 'again', quantity: 2 }), call)
  const fulfil = { idempotencyKey: 'fulfil', brand: BRAND, orderId: second.order?.orderId ?? '' }
  const { order } = await rewards.fulfilRewardOrder(fulfil, call)
  assert.deepEqual([order?.state, order?.codes], ['fulfilled', ['AAA', 'BBB']])
  assert.equal(await codeOf(rewards.cancelRewardOrder(cancelOf(order?.orderId, 1), call)), 'FAILED_PRECONDITION')
  assert.deepEqual(await stockOf(ledger), [0n, 0n, 2n])
  const owed = await database.query(`SELECT account, party, amount FROM money_entry ORDER BY account`)
  assert.deepEqual(owed, [
    { account: 'cost', party: 'reward', amount: 1_400n },
    { account: 'payable', party: 'partner:cinema', amount: -1_400n },
  ])
  const listed = await rewards.listRewardOrders(ann, call)
  assert.deepEqual(
    listed.orders.map(({ state, codes }) => [state, codes.length]),
    [
      ['fulfilled', 2],
      ['cancelled', 0],
    ],
  )
  await assertTrueBooks(ledger)
})

test('every rule of the catalogue finds the row that breaks it', async () => {
  await using ledger = await testLedger()
  await give(ledger, 'ann', 900n)
  await offer(ledger, ['AAA'], { kind: 'voucher' })
  await ledger.rewards.orderReward(orderOf('ann'), ledger.call)
  const count = await assertFound(ledger.database, [
    ['an order has exactly the entries of its points', `UPDATE reward_order SET points = 901, spend_points = '{901}'`],
    ['an order has exactly the entries of its points', 'DELETE FROM reward_order'],
    ['the stock of a reward is what its orders reserve and were given', 'UPDATE reward_stock SET reserved = 2'],
    ['the codes of a voucher are those of its stock and orders', 'UPDATE reward_code SET order_id = NULL'],
  ])
  assert.equal(count, 3)
})
