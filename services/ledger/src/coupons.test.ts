import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CouponCampaign, type DeepPartial, RedeemCouponRequest, ReserveCouponRequest } from '@stampede/proto/coupons/v1'
import { Event } from '@stampede/proto/events/v1'
import { releaseExpired } from './store/coupons/release-expired.ts'
import { BRAND, codeOf, keepPostgres, member, type TestLedger, testLedger } from './testing/ledger.ts'

keepPostgres()

const DAY_MS = 86_400_000

/** Publishes a campaign of 10 % and issues codes of it. */
async function issue(ledger: TestLedger, count: number, more: DeepPartial<CouponCampaign> = {}, memberId = '') {
  const { coupons } = ledger
  const campaign = CouponCampaign.fromPartial({
    campaignId: 'spring',
    effect: { effect: { $case: 'percentBasisPoints', value: 1_000 } },
    usesPerCode: 1n,
    ...more,
  })
  const put = { idempotencyKey: `put${count}${memberId}`, brand: BRAND, campaign }
  await coupons.putCouponCampaign(put, ledger.call)
  const request = {
    idempotencyKey: `issue${count}${memberId}`,
    brand: BRAND,
    campaignId: 'spring',
    memberId,
    count,
    codes: [],
  }
  const { coupons: issued } = await coupons.issueCoupons(request, ledger.call)
  return issued.map(({ code }) => code)
}

let keys = 0
const redeemOf = (code: string, more: DeepPartial<RedeemCouponRequest> = {}) => {
  keys += 1
  const plain = {
    idempotencyKey: `r${keys}`,
    brand: BRAND,
    code,
    storeId: 's1',
    reference: `basket${keys}`,
    moneyMinor: 100n,
  }
  return RedeemCouponRequest.fromPartial({ ...plain, ...more })
}
const reserveOf = (code: string, reference: string, more: DeepPartial<ReserveCouponRequest> = {}) => {
  keys += 1
  const plain = { idempotencyKey: `v${keys}`, brand: BRAND, code, storeId: 's1', reference, moneyMinor: 100n }
  return ReserveCouponRequest.fromPartial({ ...plain, ...more })
}

async function spent(ledger: TestLedger) {
  const { uses, moneyMinor } = await ledger.coupons.getCouponCampaign(
    { brand: BRAND, campaignId: 'spring' },
    ledger.call,
  )
  return { uses, moneyMinor }
}

test('64 tills that use one code at once: one wins, the others are told so', async () => {
  await using ledger = await testLedger()
  const [code = ''] = await issue(ledger, 1)
  const results = await Promise.all(
    Array.from({ length: 64 }, () => codeOf(ledger.coupons.redeemCoupon(redeemOf(code), ledger.call))),
  )
  assert.equal(results.filter((result) => result === 'COUPON_USED').length, 63)
  assert.deepEqual(await spent(ledger), { uses: 1n, moneyMinor: 100n })
})

test('300 uses of a budget of 100: exactly 100 are given, and never more money than there is', async () => {
  await using ledger = await testLedger()
  const codes = await issue(ledger, 300, { budgetUses: 100n })
  const results = await Promise.all(
    codes.map((code) => codeOf(ledger.coupons.redeemCoupon(redeemOf(code), ledger.call))),
  )
  assert.equal(results.filter((result) => result === 'COUPON_BUDGET_SPENT').length, 200)
  assert.deepEqual(await spent(ledger), { uses: 100n, moneyMinor: 10_000n })

  await using other = await testLedger()
  const more = await issue(other, 40, { budgetMoneyMinor: 950n })
  const paid = await Promise.all(more.map((code) => codeOf(other.coupons.redeemCoupon(redeemOf(code), other.call))))
  assert.equal(paid.filter((result) => typeof result !== 'string').length, 9)
  assert.deepEqual(await spent(other), { uses: 9n, moneyMinor: 900n })
})

test('a store has its budget of the day, by the clock of the brand', async () => {
  await using ledger = await testLedger()
  const [first = '', second = '', third = '', fourth = ''] = await issue(ledger, 4, { budgetStoreDayUses: 1n })
  const redeem = (code: string, storeId = 's1') =>
    codeOf(ledger.coupons.redeemCoupon(redeemOf(code, { storeId }), ledger.call))
  assert.equal(typeof (await redeem(first)), 'object')
  assert.equal(await redeem(second), 'COUPON_BUDGET_SPENT')
  assert.equal(typeof (await redeem(third, 's2')), 'object')
  ledger.clock.advance(Date.parse('2026-11-20T22:59:59Z') - ledger.clock.nowMs())
  assert.equal(await redeem(fourth), 'COUPON_BUDGET_SPENT')
  ledger.clock.advance(1_000)
  assert.equal(typeof (await redeem(fourth)), 'object', 'it is midnight in Berlin')
})

test('a reservation keeps the code and its budget until it ends, is given up or used', async () => {
  await using ledger = await testLedger()
  const { coupons, call, clock } = ledger
  const [code = ''] = await issue(ledger, 1, { budgetUses: 1n })
  const { coupon, expiresAt } = await coupons.reserveCoupon(reserveOf(code, 'a'), call)
  assert.equal(coupon?.state, 'locked')
  assert.equal(expiresAt?.getTime(), clock.nowMs() + 900_000)
  assert.equal(await codeOf(coupons.redeemCoupon(redeemOf(code, { reference: 'b' }), call)), 'COUPON_USED')
  assert.equal(await codeOf(coupons.reserveCoupon(reserveOf(code, 'a'), call)).then((one) => typeof one), 'object')
  assert.deepEqual(await spent(ledger), { uses: 1n, moneyMinor: 100n })

  const release = { idempotencyKey: 'x', brand: BRAND, code, reference: 'a' }
  assert.equal((await coupons.releaseCoupon(release, call)).coupon?.state, 'generated')
  assert.deepEqual(await spent(ledger), { uses: 0n, moneyMinor: 0n })

  await coupons.reserveCoupon(reserveOf(code, 'c', { ttlSeconds: 60 }), call)
  clock.advance(60_000)
  assert.equal(await releaseExpired(ledger.database, clock.now(), 10), 1)
  assert.deepEqual(await spent(ledger), { uses: 0n, moneyMinor: 0n })
  await coupons.reserveCoupon(reserveOf(code, 'd'), call)
  const used = await coupons.redeemCoupon(redeemOf(code, { reference: 'd', moneyMinor: 70n }), call)
  assert.equal(used.coupon?.state, 'redeemed')
  assert.deepEqual(await spent(ledger), { uses: 1n, moneyMinor: 70n })
})

test('a use that is undone makes the coupon valid again, beyond its campaign if need be', async () => {
  await using ledger = await testLedger()
  const { coupons, call, clock } = ledger
  const until = new Date(clock.nowMs() + DAY_MS)
  const [code = ''] = await issue(ledger, 1, { until, budgetUses: 1n })
  await coupons.redeemCoupon(redeemOf(code, { reference: 'a' }), call)
  clock.advance(2 * DAY_MS)
  const back = { idempotencyKey: 'back', brand: BRAND, code, reference: 'a', validDays: 0 }
  const { coupon } = await coupons.rollBackCoupon(back, call)
  assert.deepEqual([coupon?.state, coupon?.validUntil?.toISOString()], ['generated', '2026-12-06T23:00:00.000Z'])
  assert.deepEqual(await spent(ledger), { uses: 0n, moneyMinor: 0n })
  const twice = { ...back, idempotencyKey: 'again' }
  assert.equal(await codeOf(coupons.rollBackCoupon(twice, call)), 'FAILED_PRECONDITION')
  assert.equal((await coupons.redeemCoupon(redeemOf(code, { reference: 'a' }), call)).coupon?.state, 'redeemed')
})

test('a repeat gives the same answer, and the same key with another body is refused', async () => {
  await using ledger = await testLedger()
  const [code = ''] = await issue(ledger, 1)
  const request = redeemOf(code)
  const first = await ledger.coupons.redeemCoupon(request, ledger.call)
  assert.deepEqual(await ledger.coupons.redeemCoupon(request, ledger.call), first)
  const other = ledger.coupons.redeemCoupon({ ...request, moneyMinor: 1n }, ledger.call)
  assert.equal(await codeOf(other), 'IDEMPOTENCY_CONFLICT')
  assert.deepEqual(await spent(ledger), { uses: 1n, moneyMinor: 100n })
})

test('a member’s coupon is used by the member only, so often, and passes hear of it', async () => {
  await using ledger = await testLedger()
  const { coupons, call } = ledger
  const memberId = member('ann')
  const codes = await issue(ledger, 3, { usesPerMember: 2n, validDays: 7 }, memberId)
  const [first = '', second = '', third = ''] = codes
  const by = (code: string, who: string) => codeOf(coupons.redeemCoupon(redeemOf(code, { memberId: who }), call))
  assert.equal(await by(first, member('bob')), 'COUPON_INVALID')
  assert.equal(typeof (await by(first, memberId)), 'object')
  const racing = await Promise.all([by(second, memberId), by(third, memberId)])
  assert.equal(racing.filter((result) => result === 'COUPON_USED').length, 1)
  const { coupons: listed } = await coupons.listMemberCoupons({ brand: BRAND, memberId }, call)
  assert.deepEqual(listed.map(({ state }) => state).toSorted(), ['assigned', 'redeemed', 'redeemed'])
  assert.equal(listed[0]?.validUntil?.toISOString(), '2026-11-27T23:00:00.000Z')
  const rows = await ledger.database.query<{ subject: string; payload: Buffer }>('SELECT * FROM outbox ORDER BY id')
  const told = rows
    .map(({ payload }) => Event.decode(payload))
    .filter(({ aggregateKind }) => aggregateKind === 'coupon')
  assert.deepEqual(
    told.map(({ aggregateVersion }) => aggregateVersion),
    [1n, 1n, 1n, 2n, 2n],
  )
})

test('after ten wrong codes at a till nothing is looked up for a minute, not even a right one', async () => {
  await using ledger = await testLedger()
  const { coupons, call, clock } = ledger
  const [code = ''] = await issue(ledger, 1)
  const check = (text: string) =>
    codeOf(coupons.checkCoupon({ brand: BRAND, code: text, memberId: '', storeId: 's1', lines: [] }, call))
  for (let count = 0; count < 10; count += 1) assert.equal(await check(`WRONG${count}CODE`), 'COUPON_INVALID')
  assert.equal(await check(code), 'RESOURCE_EXHAUSTED')
  clock.advance(60_000)
  assert.equal(typeof (await check(code.toLowerCase())), 'object')
})

test('a coupon says what it takes off a basket; void ones and unknown ones look the same', async () => {
  await using ledger = await testLedger()
  const { coupons, call } = ledger
  const [code = ''] = await issue(ledger, 1, { goods: { skus: ['a'] } })
  const lines = ['a', 'b'].map((sku) => ({ sku, quantity: 2n, amountMinor: 999n, category: '' }))
  const checked = await coupons.checkCoupon({ brand: BRAND, code, memberId: '', storeId: '', lines }, call)
  assert.deepEqual(checked.discountsMinor, [99n, 0n])
  const couponId = checked.coupon?.couponId ?? ''
  await coupons.voidCoupon({ idempotencyKey: 'v', brand: BRAND, couponId }, call)
  assert.equal(await codeOf(coupons.redeemCoupon(redeemOf(code), call)), 'COUPON_INVALID')
})

test('codes of others are taken over, each once', async () => {
  await using ledger = await testLedger()
  await issue(ledger, 1)
  const take = (idempotencyKey: string, codes: string[]) =>
    ledger.coupons.issueCoupons(
      { idempotencyKey, brand: BRAND, campaignId: 'spring', memberId: '', count: 0, codes },
      ledger.call,
    )
  assert.equal((await take('one', ['partner-0001', 'partner-0002'])).coupons.length, 2)
  await assert.rejects(take('two', ['PARTNER 0003', 'partner0002']), { code: 'ALREADY_EXISTS', field: 'codes[1]' })
  assert.equal((await take('three', ['partner-0003'])).coupons.length, 1, 'nothing of the refused list was stored')
  await assert.rejects(take('four', ['short']), /codes\[0\]/)
})
