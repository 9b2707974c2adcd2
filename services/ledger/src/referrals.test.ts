import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CouponCampaign } from '@stampede/proto/coupons/v1'
import {
  AttributeReferralRequest,
  type DeepPartial,
  ListReferralsRequest,
  ReferralProgramme,
} from '@stampede/proto/referrals/v1'
import { followReceipts } from './jobs/follow-receipts.ts'
import { closeMonths } from './jobs/referrals/close-months.ts'
import { giveRewards } from './jobs/referrals/give-rewards.ts'
import { assertFound, assertTrueBooks } from './testing/damages.ts'
import {
  BRAND,
  codeOf,
  eventsOf,
  followAll,
  keepPostgres,
  member,
  returnOf,
  saleOf,
  type TestLedger,
  testLedger,
} from './testing/ledger.ts'
import { referralInvariants } from './verify-referrals.ts'

keepPostgres()

const DAY_MS = 86_400_000
const ann = { brand: BRAND, memberId: member('ann') }
const bob = { brand: BRAND, memberId: member('bob') }
const VISITOR = 'visitor-0123456789'

let keys = 0
const key = () => {
  keys += 1
  return `k${keys}`
}

/** A programme of 300 points to the advocate and 100 to the referee. */
async function publish(ledger: TestLedger, more: DeepPartial<ReferralProgramme> = {}): Promise<void> {
  const programme = ReferralProgramme.fromPartial({
    advocate: { reward: { $case: 'points', value: 300n } },
    referee: { reward: { $case: 'points', value: 100n } },
    returnDays: 14,
    attributionDays: 30,
    ...more,
  })
  await ledger.referrals.putReferralProgramme({ idempotencyKey: key(), brand: BRAND, programme }, ledger.call)
}

async function campaign(ledger: TestLedger, campaignId: string, amountMinor: bigint): Promise<void> {
  const message = CouponCampaign.fromPartial({
    campaignId,
    effect: { effect: { $case: 'amountMinor', value: amountMinor } },
    usesPerCode: 1n,
  })
  await ledger.coupons.putCouponCampaign({ idempotencyKey: key(), brand: BRAND, campaign: message }, ledger.call)
}

async function codeOfAnn({ referrals, call }: TestLedger): Promise<string> {
  return (await referrals.issueReferralCode({ idempotencyKey: key(), ...ann }, call)).code
}

/** Ann brings somebody. */
async function bring(ledger: TestLedger, name = 'bob', more: DeepPartial<AttributeReferralRequest> = {}) {
  const code = await codeOfAnn(ledger)
  const request = { idempotencyKey: key(), brand: BRAND, memberId: member(name), code, ...more }
  return ledger.referrals.attributeReferral(AttributeReferralRequest.fromPartial(request), ledger.call)
}

async function points({ handlers, call }: TestLedger, name: string) {
  const { balance } = await handlers.getBalance({ brand: BRAND, memberId: member(name) }, call)
  return { available: balance?.available, pending: balance?.pending, debt: balance?.debt }
}

async function referralOf({ referrals, call }: TestLedger, name = 'bob') {
  const request = ListReferralsRequest.fromPartial({ brand: BRAND, refereeId: member(name) })
  const { referrals: found } = await referrals.listReferrals(request, call)
  const [referral] = found
  assert(referral !== undefined)
  return { ...referral, states: referral.rewards.map(({ side, state }) => `${side} ${state}`) }
}

async function balances({ money, call }: TestLedger) {
  const found: Record<string, bigint> = {}
  for (const account of ['cost', 'payable', 'bank']) {
    const request = { brand: BRAND, account, prefix: '', pageSize: 0, pageToken: '' }
    const answer = await money.listMoneyBalances(request, call)
    for (const { party, amountMinor } of answer.balances) found[`${account}[${party}]`] = amountMinor
  }
  return found
}

const to = (ledger: TestLedger, instant: string) => ledger.clock.advance(Date.parse(instant) - ledger.clock.nowMs())

const later = { occurredAt: new Date('2026-11-20T12:30:00Z') }

test('c15: both sides have their points from the first purchase on, pending until the return window has passed', async () => {
  await using ledger = await testLedger()
  await publish(ledger, { leastPurchaseMinor: 2_000n })
  await bring(ledger)
  await followAll(ledger)
  assert.deepEqual((await referralOf(ledger)).states, [], 'a sign-up gives nothing')
  ledger.clock.advance(3_600_000)
  await ledger.handlers.postReceipt(saleOf('bob', 'small', { ...later, lines: [line(1_999n)] }), ledger.call)
  await ledger.handlers.postReceipt(saleOf('bob', '1', later), ledger.call)
  await followAll(ledger)
  await followAll(ledger)
  assert.deepEqual((await referralOf(ledger)).states, ['advocate issued', 'referee issued'])
  assert.deepEqual(await points(ledger, 'ann'), { available: 0n, pending: 300n, debt: 0n })
  assert.deepEqual(await points(ledger, 'bob'), { available: 199n, pending: 100n, debt: 0n })
  to(ledger, '2026-12-04T22:59:59Z')
  assert.equal((await points(ledger, 'ann')).pending, 300n)
  to(ledger, '2026-12-04T23:00:00Z')
  assert.deepEqual(await points(ledger, 'ann'), { available: 300n, pending: 0n, debt: 0n })
  await assertTrueBooks(ledger)
})

const line = (amountMinor: bigint) => ({ sku: 'sku', quantity: 1n, amountMinor, category: '' })

test('c21.16: a return before the window has passed cancels, a later one takes points back, to debt if need be', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  await publish(ledger)
  for (const name of ['bob', 'cat']) await bring(ledger, name)
  ledger.clock.advance(3_600_000)
  const first = await handlers.postReceipt(saleOf('bob', '1', later), call)
  const second = await handlers.postReceipt(saleOf('cat', '2', later), call)
  await followAll(ledger)
  assert.equal((await points(ledger, 'ann')).pending, 600n)
  await handlers.returnReceipt(returnOf(first.receiptId, 'r1', later), call)
  await followAll(ledger)
  assert.deepEqual((await referralOf(ledger)).states, ['advocate revoked', 'referee revoked'])
  assert.deepEqual(await points(ledger, 'ann'), { available: 0n, pending: 300n, debt: 0n })
  to(ledger, '2026-12-05T12:00:00Z')
  const hold = { idempotencyKey: 'h', ...ann, points: 250n, reference: 'r', ttlSeconds: 0 }
  const { holdId } = await handlers.createHold(hold, call)
  await handlers.commitHold({ idempotencyKey: 'x', brand: BRAND, holdId, points: 250n }, call)
  const back = { occurredAt: new Date('2026-12-05T12:00:00Z') }
  await handlers.returnReceipt(returnOf(second.receiptId, 'r2', back), call)
  await followAll(ledger)
  assert.deepEqual(await points(ledger, 'ann'), { available: 0n, pending: 0n, debt: 250n })
  await assertTrueBooks(ledger)
})

test('c21.16: a friend gets 500 off the first device of 3,990 and pays 3,490; back on day 10 nothing activates', async () => {
  await using ledger = await testLedger()
  const { handlers, call, coupons } = ledger
  await campaign(ledger, 'friend', 50_000n)
  await campaign(ledger, 'thanks', 50_000n)
  await publish(ledger, {
    advocate: { reward: { $case: 'campaignId', value: 'thanks' } },
    referee: undefined,
    welcomeCampaignId: 'friend',
  })
  const { welcomeCode } = await bring(ledger)
  ledger.clock.advance(3_600_000)
  const device = { ...later, lines: [line(399_000n)], couponCodes: [welcomeCode] }
  const sale = await handlers.postReceipt(saleOf('bob', '1', device), call)
  assert.equal(sale.totalMinor, 349_000n)
  await followAll(ledger)
  assert.deepEqual((await referralOf(ledger)).states, ['advocate planned', 'welcome issued'])
  to(ledger, '2026-11-30T12:00:00Z')
  const back = { occurredAt: ledger.clock.now() }
  assert.equal((await handlers.returnReceipt(returnOf(sale.receiptId, 'r', back), call)).refundMinor, 349_000n)
  await followAll(ledger)
  to(ledger, '2026-12-30T12:00:00Z')
  await followAll(ledger)
  assert.deepEqual((await referralOf(ledger)).states, ['advocate revoked', 'welcome revoked'])
  assert.deepEqual((await coupons.listMemberCoupons(ann, call)).coupons, [])
  const left = (await coupons.listMemberCoupons(bob, call)).coupons.map(({ state }) => state)
  assert.deepEqual(left, ['voided'])
  await assertTrueBooks(ledger)
})

test('c21.16: a coupon comes when the window has passed; unused it is void after a return, used it is owed in points', async () => {
  for (const isUsed of [false, true]) {
    await using ledger = await testLedger()
    const { handlers, call, coupons } = ledger
    await campaign(ledger, 'thanks', 500n)
    await publish(ledger, { advocate: { reward: { $case: 'campaignId', value: 'thanks' } }, referee: undefined })
    await bring(ledger)
    ledger.clock.advance(3_600_000)
    const { receiptId } = await handlers.postReceipt(saleOf('bob', '1', later), call)
    await followAll(ledger)
    to(ledger, '2026-12-05T12:00:00Z')
    await followAll(ledger)
    const [coupon] = (await coupons.listMemberCoupons(ann, call)).coupons
    assert.equal(coupon?.state, 'assigned')
    const now = { occurredAt: ledger.clock.now() }
    if (isUsed) {
      const used = { ...now, lines: [line(2_000n)], couponCodes: [coupon.code] }
      assert.equal((await handlers.postReceipt(saleOf('ann', 'a', used), call)).totalMinor, 1_500n)
    }
    await handlers.returnReceipt(returnOf(receiptId, 'r', now), call)
    await followAll(ledger)
    assert.deepEqual(
      (await coupons.listMemberCoupons(ann, call)).coupons.map(({ state }) => state),
      ['voided'],
    )
    if (isUsed) assert.deepEqual(await points(ledger, 'ann'), { available: 0n, pending: 0n, debt: 425n })
    await assertTrueBooks(ledger)
  }
})

test('c21.16: cash to the account is owed from the end of the window on, paid out, and owed back after a return', async () => {
  await using ledger = await testLedger()
  const { handlers, call, money } = ledger
  await publish(ledger, { advocate: { reward: { $case: 'cashMinor', value: 700n } }, referee: undefined })
  await bring(ledger)
  ledger.clock.advance(3_600_000)
  const { receiptId } = await handlers.postReceipt(saleOf('bob', '1', later), call)
  await followAll(ledger)
  assert.deepEqual(await balances(ledger), {})
  to(ledger, '2026-12-05T12:00:00Z')
  await followAll(ledger)
  const party = `member:${ann.memberId}`
  assert.deepEqual(await balances(ledger), { 'cost[referral]': 700n, [`payable[${party}]`]: -700n })
  const pay = (amountMinor: bigint) =>
    money.recordPayout({ idempotencyKey: `pay${amountMinor}`, brand: BRAND, party, amountMinor }, call)
  assert.equal(await codeOf(pay(701n)), 'FAILED_PRECONDITION')
  assert.equal((await pay(600n)).owedMinor, 100n)
  assert.equal((await pay(600n)).owedMinor, 100n, 'a repeat pays nothing')
  await handlers.returnReceipt(returnOf(receiptId, 'r', { occurredAt: ledger.clock.now() }), call)
  await followAll(ledger)
  assert.deepEqual(await balances(ledger), { 'bank[]': -600n, 'cost[referral]': 0n, [`payable[${party}]`]: 600n })
  await assertTrueBooks(ledger)
})

test('c15: members bring others once, not themselves, and not without a touch', async () => {
  await using ledger = await testLedger()
  const { referrals, call } = ledger
  assert.equal(await codeOf(bring(ledger)), 'FAILED_PRECONDITION', 'there is no programme')
  await publish(ledger)
  assert.equal(await codeOf(bring(ledger, 'ann')), 'FAILED_PRECONDITION')
  const stranger = { code: '', visitor: VISITOR }
  assert.equal(await codeOf(bring(ledger, 'bob', stranger)), 'FAILED_PRECONDITION')
  const touch = { idempotencyKey: key(), brand: BRAND, code: await codeOfAnn(ledger), visitor: VISITOR }
  await referrals.recordReferralTouch(touch, call)
  assert.equal(await codeOf(referrals.recordReferralTouch({ ...touch, code: 'WRONGCODE12345' }, call)), 'NOT_FOUND')
  ledger.clock.advance(30 * DAY_MS)
  assert.equal(await codeOf(bring(ledger, 'bob', stranger)), 'FAILED_PRECONDITION', 'the window has passed')
  await referrals.recordReferralTouch({ ...touch, idempotencyKey: key() }, call)
  assert.equal((await bring(ledger, 'bob', stranger)).referral?.advocateId, ann.memberId)
  assert.equal(await codeOf(bring(ledger)), 'ALREADY_EXISTS')
})

test('c15: two members with one phone wait for a person, and their rewards with them', async () => {
  await using ledger = await testLedger()
  const { referrals, handlers, call } = ledger
  await publish(ledger)
  const phone = [{ kind: 'phone', hash: 'f'.repeat(64) }]
  for (const one of [ann, bob]) {
    await referrals.recordFingerprints({ idempotencyKey: key(), ...one, fingerprints: phone }, call)
  }
  const { referral } = await bring(ledger)
  assert.deepEqual([referral?.review, referral?.reviewReasons], ['waiting', ['shared_phone']])
  ledger.clock.advance(3_600_000)
  await handlers.postReceipt(saleOf('bob', '1', later), call)
  await followAll(ledger)
  assert.deepEqual((await referralOf(ledger)).states, ['advocate held', 'referee held'])
  const resolve = (approve: boolean) => {
    const request = { idempotencyKey: key(), brand: BRAND, referralId: referral?.referralId ?? '', approve }
    return referrals.resolveReferral(request, call)
  }
  await resolve(true)
  assert.equal(await codeOf(resolve(false)), 'FAILED_PRECONDITION')
  await followAll(ledger)
  assert.equal((await points(ledger, 'ann')).pending, 300n)

  await referrals.recordFingerprints(
    { idempotencyKey: key(), brand: BRAND, memberId: member('cat'), fingerprints: phone },
    call,
  )
  const again = await bring(ledger, 'cat')
  assert.deepEqual(again.referral?.reviewReasons, ['shared_phone', 'returning_phone'])
  await handlers.postReceipt(saleOf('cat', '2', later), call)
  const no = { idempotencyKey: key(), brand: BRAND, referralId: again.referral?.referralId ?? '', approve: false }
  await referrals.resolveReferral(no, call)
  await followAll(ledger)
  assert.deepEqual(
    [(await referralOf(ledger, 'cat')).state, (await points(ledger, 'ann')).pending],
    ['cancelled', 300n],
  )
  await assertTrueBooks(ledger)
})

test('c15: many in an hour wait, and so does a purchase at the till of the advocate', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  await publish(ledger, { hourlyReview: 2n, sameTillMinutes: 10 })
  await bring(ledger, 'bob')
  await bring(ledger, 'cat')
  assert.deepEqual((await bring(ledger, 'dan')).referral?.reviewReasons, ['velocity'])
  ledger.clock.advance(3_600_000)
  assert.equal((await bring(ledger, 'eve')).referral?.review, 'none', 'an hour later it is calm again')
  await handlers.postReceipt(saleOf('ann', 'a', later), call)
  const soon = { occurredAt: new Date('2026-11-20T12:40:00Z') }
  await handlers.postReceipt(saleOf('bob', 'b', soon), call)
  await handlers.postReceipt(saleOf('cat', 'c', { ...soon, tillId: 'other' }), call)
  await followAll(ledger)
  assert.deepEqual((await referralOf(ledger, 'bob')).reviewReasons, ['same_till'])
  assert.deepEqual((await referralOf(ledger, 'bob')).states, ['advocate held', 'referee held'])
  assert.deepEqual((await referralOf(ledger, 'cat')).states, ['advocate issued', 'referee issued'])
})

test('c15: an advocate has one reward a day, the referee has it still; two replicas count alike', async () => {
  await using ledger = await testLedger()
  await using other = ledger.replica()
  await publish(ledger, { dailyCap: 1n })
  const names = ['bob', 'cat', 'dan', 'eve']
  for (const name of names) await bring(ledger, name)
  ledger.clock.advance(3_600_000)
  for (const name of names) await ledger.handlers.postReceipt(saleOf(name, name, later), ledger.call)
  const events = await eventsOf(ledger)
  const halves = [events.filter((_, index) => index % 2 === 0), events.filter((_, index) => index % 2 === 1), events]
  await Promise.all(halves.map((half) => followReceipts(ledger.context, half)))
  const replica = { ...ledger.context, committer: other.committer }
  await Promise.all([giveRewards(ledger.context, 100), giveRewards(replica, 100), giveRewards(ledger.context, 2)])
  await giveRewards(ledger.context, 100)
  const states = await Promise.all(names.map(async (name) => (await referralOf(ledger, name)).states))
  const advocate = states.flatMap((one) => one[0] ?? []).toSorted()
  assert.deepEqual(advocate, ['advocate capped', 'advocate capped', 'advocate capped', 'advocate issued'])
  assert.ok(states.every((one) => one[1] === 'referee issued'))
  assert.equal((await points(ledger, 'ann')).pending, 300n)
  await assertTrueBooks(ledger)
})

test('a process that dies after it gave and before it noted it gives nothing twice, and a return still takes it back', async () => {
  await using ledger = await testLedger()
  await publish(ledger)
  await bring(ledger)
  ledger.clock.advance(3_600_000)
  const sale = await ledger.handlers.postReceipt(saleOf('bob', '1', later), ledger.call)
  await followReceipts(ledger.context, await eventsOf(ledger))
  let left = 1
  const dying: TestLedger['context']['committer']['submit'] = async (items) => {
    if (left === 0) throw new Error('killed')
    left -= 1
    return ledger.context.committer.submit(items)
  }
  const committer = { submit: dying } as TestLedger['context']['committer']
  await assert.rejects(giveRewards({ ...ledger.context, committer }, 100), /killed/)
  assert.deepEqual((await referralOf(ledger)).states, ['advocate planned', 'referee planned'])
  assert.equal((await points(ledger, 'ann')).pending, 300n, 'the books have it')
  await ledger.handlers.returnReceipt(returnOf(sale.receiptId, 'r', later), ledger.call)
  await followAll(ledger)
  await giveRewards(ledger.context, 100)
  assert.deepEqual(await points(ledger, 'ann'), { available: 0n, pending: 0n, debt: 0n })
  assert.deepEqual((await referralOf(ledger)).states, ['advocate revoked', 'referee revoked'])
  await assertTrueBooks(ledger)
})

test('c21.16: a share of what referees spend month by month, closed once, with what is below zero carried', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  const recurring = { basisPoints: 2_000, monthlyCapMinor: 250_000n, termMonths: 12, unit: 'cash' }
  await publish(ledger, { advocate: undefined, referee: undefined, recurring })
  for (const name of ['bob', 'cat']) await bring(ledger, name)
  ledger.clock.advance(3_600_000)
  const buy = async (name: string, day: string, amountMinor: bigint) => {
    to(ledger, `${day}T12:00:00Z`)
    const sale = saleOf(name, `${name}${day}`, { occurredAt: ledger.clock.now(), lines: [line(amountMinor)] })
    return (await handlers.postReceipt(sale, call)).receiptId
  }
  const giveBack = (receiptId: string) =>
    handlers.returnReceipt(returnOf(receiptId, receiptId, { occurredAt: ledger.clock.now() }), call)
  await buy('bob', '2026-11-21', 1_000_000n)
  await buy('cat', '2026-11-22', 400_000n)
  await followAll(ledger)
  const old = await buy('bob', '2026-12-01', 200_000n)
  await buy('cat', '2026-12-02', 400_000n)
  const older = await buy('cat', '2026-12-03', 300_000n)
  await followAll(ledger)
  await giveBack(old)
  await giveBack(older)
  await buy('bob', '2027-01-05', 100_000n)
  await followAll(ledger)
  const cash = async () => (await balances(ledger))[`payable[member:${ann.memberId}]`] ?? 0n
  assert.equal(await cash(), -330_000n, 'November 2,500.00 to the cap, December 20 % of 4,000.00')
  const big = await buy('bob', '2027-01-06', 500_000n)
  await followAll(ledger)
  await buy('cat', '2027-02-01', 100_000n)
  await giveBack(big)
  await followAll(ledger)
  assert.equal(await cash(), -450_000n, 'January: 20 % of 6,000.00')
  await buy('cat', '2027-03-05', 500_000n)
  await Promise.all([closeMonths(ledger.context, 10), closeMonths(ledger.context, 10)])
  await followAll(ledger)
  assert.equal(await cash(), -450_000n, 'February: 1,000.00 less 5,000.00 is nothing')
  to(ledger, '2027-04-02T12:00:00Z')
  await followAll(ledger)
  await followAll(ledger)
  assert.equal(await cash(), -470_000n, 'March: 20 % of 5,000.00 less 4,000.00')
  await assertTrueBooks(ledger)
})

test('every rule about rewards finds the row that breaks it', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  await campaign(ledger, 'friend', 500n)
  const recurring = { basisPoints: 2_000, termMonths: 12, unit: 'cash' }
  const cash = { reward: { $case: 'cashMinor', value: 700n } } as const
  await publish(ledger, { advocate: cash, welcomeCampaignId: 'friend', recurring, returnDays: 0 })
  for (const name of ['bob', 'cat']) await bring(ledger, name)
  ledger.clock.advance(3_600_000)
  await handlers.postReceipt(saleOf('bob', '1', later), call)
  const { receiptId } = await handlers.postReceipt(saleOf('cat', '2', later), call)
  await followAll(ledger)
  await handlers.returnReceipt(returnOf(receiptId, 'r', later), call)
  await followAll(ledger)
  const ofReward = 'a reward has exactly what its state says'
  const found = await assertFound(ledger.database, [
    [ofReward, `UPDATE referral_reward SET amount = amount + 1 WHERE kind = 'points' AND state = 'issued'`],
    [ofReward, `UPDATE referral_reward SET state = 'issued' WHERE kind = 'points' AND state = 'revoked'`],
    [ofReward, `UPDATE referral_reward SET state = 'issued' WHERE kind = 'cash' AND state = 'revoked'`],
    [ofReward, `DELETE FROM money_posting WHERE kind = 'referral_back'`],
    [ofReward, `DELETE FROM coupon`],
    ['a referral that came to nothing has no rewards', `UPDATE referral SET state = 'cancelled'`],
    ['a referral that came to nothing has no rewards', `UPDATE referral SET review = 'waiting'`],
    ['the months of an advocate are what was counted of sales', `UPDATE referral_month SET net_minor = net_minor + 1`],
    ['the months of an advocate are what was counted of sales', 'DELETE FROM referral_spend'],
  ])
  assert.equal(found, referralInvariants.length)
  for (const statement of ['UPDATE money_posting SET entry_amounts[1] = 1', 'DELETE FROM money_posting']) {
    await assert.rejects(ledger.database.query(statement), `allowed: ${statement}`)
  }
})
