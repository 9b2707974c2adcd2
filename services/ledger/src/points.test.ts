import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdjustPointsRequest, GrantPointsRequest } from '@stampede/proto/points/v1'
import { flushDue } from './flush/flush.ts'
import { retireMonths } from './store/retention.ts'
import { assertTrueBooks } from './testing/damages.ts'
import { BRAND, codeOf, keepPostgres, member, returnOf, saleOf, type TestLedger, testLedger } from './testing/ledger.ts'

keepPostgres()

const DAY_MS = 86_400_000
const ann = { brand: BRAND, memberId: member('ann') }
const bob = { brand: BRAND, memberId: member('bob') }
const birthday = (more: Partial<GrantPointsRequest> = {}) =>
  GrantPointsRequest.fromPartial({ ...ann, idempotencyKey: 'k1', eventKey: 'birthday-2026', points: 100n, ...more })
const adjustment = (points: bigint, more: Partial<AdjustPointsRequest> = {}) =>
  AdjustPointsRequest.fromPartial({
    ...ann,
    idempotencyKey: `adjust${points}`,
    points,
    reason: 'lost receipt',
    ...more,
  })

async function available(ledger: TestLedger, name: string): Promise<bigint | undefined> {
  const { balance } = await ledger.handlers.getBalance({ brand: BRAND, memberId: member(name) }, ledger.call)
  return balance?.available
}

test('an event gives its points once, whatever key asks for it', async () => {
  await using ledger = await testLedger()
  const { points, call } = ledger
  const first = await points.grantPoints(birthday(), call)
  assert.equal(first.balance?.available, 100n)
  assert.deepEqual(await points.grantPoints(birthday(), call), first)
  assert.equal((await points.grantPoints(birthday({ idempotencyKey: 'k2' }), call)).grantId, first.grantId)
  assert.equal(await codeOf(points.grantPoints(birthday({ idempotencyKey: 'k3', points: 1n }), call)), 'ALREADY_EXISTS')
  assert.equal(await codeOf(points.grantPoints(birthday({ points: 1n }), call)), 'IDEMPOTENCY_CONFLICT')
  assert.equal(await available(ledger, 'ann'), 100n)
  await assertTrueBooks(ledger)
})

test('an event is corrected to what it should have given, to debt if need be', async () => {
  await using ledger = await testLedger()
  const { points, handlers, call } = ledger
  await points.grantPoints(birthday(), call)
  const correct = (to: bigint) =>
    points.correctGrant({ ...ann, idempotencyKey: `c${to}`, eventKey: 'birthday-2026', points: to }, call)
  assert.equal((await correct(250n)).balance?.available, 250n)
  assert.equal((await correct(40n)).balance?.available, 40n)
  const hold = { idempotencyKey: 'h', ...ann, points: 40n, reference: 'r', ttlSeconds: 0 }
  const { holdId } = await handlers.createHold(hold, call)
  await handlers.commitHold({ idempotencyKey: 'x', brand: BRAND, holdId, points: 40n }, call)
  assert.deepEqual([(await correct(0n)).balance?.debt, await available(ledger, 'ann')], [40n, 0n])
  const unknown = { ...ann, idempotencyKey: 'u', eventKey: 'none', points: 1n }
  assert.equal(await codeOf(points.correctGrant(unknown, call)), 'NOT_FOUND')
  await assertTrueBooks(ledger)
})

test('points of an event may live shorter than others', async () => {
  await using ledger = await testLedger()
  await ledger.points.grantPoints(birthday({ liveDays: 5 }), ledger.call)
  ledger.clock.advance(5 * DAY_MS)
  assert.equal(await available(ledger, 'ann'), 100n)
  ledger.clock.advance(DAY_MS)
  assert.equal(await available(ledger, 'ann'), 0n)
})

test('members give points to each other up to the limit, and they keep their term', async () => {
  await using ledger = await testLedger()
  const { points, call } = ledger
  const give = (amount: bigint, key = `t${amount}`) =>
    points.transferPoints({ ...ann, idempotencyKey: key, toMemberId: bob.memberId, points: amount }, call)
  await points.grantPoints(birthday({ liveDays: 5 }), call)
  assert.equal(await codeOf(give(10n)), 'FAILED_PRECONDITION', 'there are no transfers at first')
  await ledger.publish({ transferLimit: 60n })
  assert.equal(await codeOf(give(61n)), 'INVALID_ARGUMENT')
  assert.equal((await give(60n)).balance?.available, 40n)
  assert.equal((await give(60n)).balance?.available, 40n, 'a repeat gives the same answer')
  assert.equal(await codeOf(give(50n)), 'INSUFFICIENT_POINTS')
  const self = { ...ann, idempotencyKey: 's', toMemberId: ann.memberId, points: 1n }
  assert.equal(await codeOf(points.transferPoints(self, call)), 'INVALID_ARGUMENT')
  assert.equal(await available(ledger, 'bob'), 60n)
  ledger.clock.advance(6 * DAY_MS)
  assert.equal(await available(ledger, 'bob'), 0n)
  await assertTrueBooks(ledger)
})

test('two members who give to each other all at once neither lose points nor wait for each other', async () => {
  await using ledger = await testLedger()
  await using other = ledger.replica()
  const { points, call } = ledger
  await ledger.publish({ transferLimit: 1_000n })
  await points.grantPoints(birthday(), call)
  await points.grantPoints(birthday({ ...bob, idempotencyKey: 'b' }), call)
  const transfers = Array.from({ length: 64 }, (_, index) => {
    const [from, to] = index % 2 === 0 ? [ann, bob] : [bob, ann]
    const handlers = index % 4 < 2 ? points : other.points
    const request = { ...from, idempotencyKey: `x${index}`, toMemberId: to.memberId, points: 1n }
    return codeOf(handlers.transferPoints(request, call))
  })
  const failed = (await Promise.all(transfers)).filter((result) => typeof result === 'string')
  assert.deepEqual(failed, [])
  assert.deepEqual([await available(ledger, 'ann'), await available(ledger, 'bob')], [100n, 100n])
  await assertTrueBooks(ledger)
})

test('a correction by hand above the limit waits for a second person', async () => {
  await using ledger = await testLedger()
  const { points, call } = ledger
  await ledger.publish({ adjustLimit: 50n })
  const second = { ...call, caller: { ...call.caller, keyId: 'somebody else' } }
  assert.equal((await points.adjustPoints(adjustment(50n), call)).state, 'posted')
  const proposed = await points.adjustPoints(adjustment(51n), call)
  assert.deepEqual([proposed.state, proposed.balance?.available], ['proposed', 50n])
  const open = await points.listAdjustments({ brand: BRAND, pageSize: 0, pageToken: '' }, call)
  assert.deepEqual(
    open.adjustments.map(({ adjustmentId, points: amount }) => [adjustmentId, amount]),
    [[proposed.adjustmentId, 51n]],
  )
  const approve = { idempotencyKey: 'yes', brand: BRAND, adjustmentId: proposed.adjustmentId, approve: true }
  assert.equal(await codeOf(points.resolveAdjustment(approve, call)), 'PERMISSION_DENIED')
  assert.deepEqual((await points.resolveAdjustment(approve, second)).balance?.available, 101n)
  const again = { ...approve, idempotencyKey: 'again' }
  assert.equal(await codeOf(points.resolveAdjustment(again, second)), 'FAILED_PRECONDITION')
  await assertTrueBooks(ledger)
})

test('a rejected correction changes nothing, and none takes more than is there', async () => {
  await using ledger = await testLedger()
  const { points, call } = ledger
  await ledger.publish({ adjustLimit: 50n })
  const second = { ...call, caller: { ...call.caller, keyId: 'somebody else' } }
  assert.equal(await codeOf(points.adjustPoints(adjustment(-1n), call)), 'INSUFFICIENT_POINTS')
  assert.equal(await codeOf(points.adjustPoints(adjustment(0n), call)), 'INVALID_ARGUMENT')
  const { adjustmentId } = await points.adjustPoints(adjustment(99n), call)
  const no = { idempotencyKey: 'no', brand: BRAND, adjustmentId, approve: false }
  assert.deepEqual((await points.resolveAdjustment(no, second)).state, 'rejected')
  assert.equal(await codeOf(ledger.handlers.getBalance(ann, call)), 'NOT_FOUND')
  await assertTrueBooks(ledger)
})

test('a delayed programme shows points as pending until their day, and a return cancels them', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  await ledger.publish({ activation: { when: { $case: 'delayDays', value: 14 } } })
  const first = await handlers.postReceipt(saleOf('ann', '1'), call)
  await handlers.postReceipt(saleOf('ann', '2'), call)
  assert.deepEqual([first.balance?.available, first.balance?.pending], [0n, 100n])
  await handlers.returnReceipt(returnOf(first.receiptId, 'r'), call)
  ledger.clock.advance(15 * DAY_MS)
  const { balance } = await handlers.getBalance(ann, call)
  assert.deepEqual([balance?.available, balance?.pending, balance?.debt], [100n, 0n, 0n])
  await assertTrueBooks(ledger)
})

test('c4: points without an end are earned and shown, without an end', async () => {
  await using ledger = await testLedger()
  await ledger.publish({ pointsLiveDays: 0, life: { term: { $case: 'unlimited', value: true } } })
  const { balance } = await ledger.handlers.postReceipt(saleOf('ann', '1'), ledger.call)
  assert.deepEqual([balance?.available, balance?.expiries], [100n, []])
  assert.equal(await available(ledger, 'ann'), 100n)
})

test('points that wait for an event are activated by it', async () => {
  await using ledger = await testLedger()
  const { handlers, points, call } = ledger
  await ledger.publish({ activation: { when: { $case: 'eventTimeoutDays', value: 30 } } })
  const { receiptId } = await handlers.postReceipt(saleOf('ann', '1'), call)
  const activate = { ...ann, idempotencyKey: 'delivered', causeId: receiptId }
  assert.equal((await points.activatePoints(activate, call)).balance?.available, 100n)
  const twice = { ...activate, idempotencyKey: 'again' }
  assert.equal(await codeOf(points.activatePoints(twice, call)), 'FAILED_PRECONDITION')
  await assertTrueBooks(ledger)
})

test('what is owed by month and funder is what was posted, to the point, also after months were detached', async () => {
  await using ledger = await testLedger()
  const { handlers, points, call, clock } = ledger
  await ledger.publish({ funder: 'brand', adjustLimit: 1_000n })
  const { receiptId } = await handlers.postReceipt(saleOf('ann', '1'), call)
  await handlers.postReceipt(saleOf('bob', '2'), call)
  await points.grantPoints(birthday({ liveDays: 5, funder: 'partner' }), call)
  await points.adjustPoints(adjustment(7n), call)
  const hold = { idempotencyKey: 'h', ...bob, points: 90n, reference: 'r', ttlSeconds: 0 }
  const { holdId } = await handlers.createHold(hold, call)
  await handlers.commitHold({ idempotencyKey: 'x', brand: BRAND, holdId, points: 60n }, call)
  await handlers.returnReceipt(returnOf(receiptId, 'r'), call)
  const report = async () => {
    const { buckets, ...sums } = await points.getLiability({ brand: BRAND }, call)
    const owed = buckets.reduce((sum, one) => sum + one.available + one.pending + one.held, 0n)
    assert.equal(owed, sums.outstanding)
    return { buckets: buckets.map(({ month, funder, available: left }) => [month, funder, left]), ...sums }
  }
  assert.deepEqual(await report(), {
    buckets: [
      ['2026-11-01', 'partner', 100n],
      ['2027-11-01', 'brand', 47n],
    ],
    issued: 200n,
    redeemed: 60n,
    expired: 0n,
    adjusted: 7n,
    debt: 0n,
    outstanding: 147n,
    donated: 0n,
  })
  clock.advance(100 * DAY_MS)
  await flushDue(ledger.flushContext, 100)
  await retireMonths(ledger.database, clock.now(), { keptMonths: 1 })
  const later = await report()
  assert.deepEqual([later.expired, later.outstanding], [100n, 47n])
})
