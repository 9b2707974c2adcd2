import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '@stampede/platform'
import { CouponCampaign, RedeemCouponRequest, ReserveCouponRequest } from '@stampede/proto/coupons/v1'
import fc from 'fast-check'
import { Committer } from './flush/committer.ts'
import { flushItems } from './flush/flush.ts'
import { couponHandlers } from './rpc/coupons/handlers.ts'
import { ledgerHandlers } from './rpc/handlers.ts'
import { releaseExpired } from './store/coupons/release-expired.ts'
import { BRAND, codeOf, keepPostgres, member, saleOf, type TestLedger, testLedger } from './testing/ledger.ts'
import { verifyLedger } from './verify.ts'

keepPostgres()

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)
/** Sorted by column and sorted as one text these come in different orders. */
const CAMPAIGNS = ['a', 'a-b', 'b']
const CODES_EACH = 6
const STORES = ['s1', 's2', 'z']
const MEMBERS = 24
const CALLS = 1_600
const AT_ONCE = 48

/** A replica whose transactions are counted: one that lost a deadlock is repeated. */
class Replica implements AsyncDisposable {
  repeats = 0
  readonly #committer: Committer
  readonly handlers: ReturnType<typeof ledgerHandlers>
  readonly coupons: ReturnType<typeof couponHandlers>
  readonly database: Database

  constructor({ context, flushContext }: TestLedger) {
    const { database } = context
    this.database = { ...database, transaction: (run) => this.#transaction(database, run) }
    this.#committer = new Committer({
      flush: (items) => flushItems({ ...flushContext, database: this.database }, items),
      nowMs: () => context.clock.nowMs(),
      onFlushed: () => undefined,
    })
    const own = { ...context, database: this.database, committer: this.#committer }
    this.handlers = ledgerHandlers(own)
    this.coupons = couponHandlers(own)
  }

  async #transaction<T>(database: Database, run: Parameters<typeof database.transaction<T>>[0]): Promise<T> {
    let runs = 0
    const result = await database.transaction((tx) => {
      runs += 1
      return run(tx)
    })
    this.repeats += runs - 1
    return result
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#committer[Symbol.asyncDispose]()
  }
}

interface Call {
  readonly kind: 'sale' | 'reserve' | 'redeem' | 'sweep'
  readonly codes: readonly number[]
  readonly member: number
  readonly store: string
}

const call: fc.Arbitrary<Call> = fc.record({
  kind: fc.constantFrom('sale', 'sale', 'reserve', 'redeem', 'redeem', 'sweep'),
  codes: fc.shuffledSubarray([...Array(CAMPAIGNS.length * CODES_EACH).keys()], { minLength: 1, maxLength: 5 }),
  member: fc.nat(MEMBERS - 1),
  store: fc.constantFrom(...STORES),
})

async function issueCodes({ coupons, call: context }: TestLedger): Promise<readonly string[]> {
  const codes: string[] = []
  for (const campaignId of CAMPAIGNS) {
    const effect = { effect: { $case: 'percentBasisPoints' as const, value: 100 } }
    const limits = { usesPerCode: 10_000n, usesPerMember: 1_000n, budgetUses: 100_000n, budgetStoreDayUses: 100_000n }
    const campaign = CouponCampaign.fromPartial({ campaignId, effect, ...limits })
    await coupons.putCouponCampaign({ idempotencyKey: `put-${campaignId}`, brand: BRAND, campaign }, context)
    const request = { idempotencyKey: `issue-${campaignId}`, brand: BRAND, campaignId, memberId: '', codes: [] }
    const issued = await coupons.issueCoupons({ ...request, count: CODES_EACH }, context)
    codes.push(...issued.coupons.map(({ code }) => code))
  }
  return codes
}

test(`receipts, reservations and uses of three campaigns at two replicas never wait in a circle (seed ${seed})`, async () => {
  await using ledger = await testLedger()
  await using first = new Replica(ledger)
  await using second = new Replica(ledger)
  const codes = await issueCodes(ledger)
  const calls = fc.sample(call, { numRuns: CALLS, seed })
  let next = 0
  const caller = async () => {
    for (let index = next++; index < calls.length; index = next++) {
      const one = calls[index]
      if (one !== undefined) await ask(index % 2 === 0 ? first : second, one, index)
    }
  }
  const ask = async (replica: Replica, { kind, codes: picked, member: who, store }: Call, index: number) => {
    const shown = picked.map((at) => codes[at] ?? '')
    const common = { idempotencyKey: `call-${index}`, brand: BRAND, memberId: member(`m${who}`), storeId: store }
    const shownOne = { ...common, code: shown[0] ?? '', reference: `basket-${index}`, moneyMinor: 10n }
    if (kind === 'sweep') {
      ledger.clock.advance(1_000)
      return await releaseExpired(replica.database, ledger.clock.now(), 10)
    }
    if (kind === 'sale') {
      const sale = saleOf(`m${who}`, `n${index}`, { storeId: store, couponCodes: shown })
      return await codeOf(replica.handlers.postReceipt(sale, ledger.call))
    }
    if (kind === 'reserve') {
      return await codeOf(
        replica.coupons.reserveCoupon(ReserveCouponRequest.fromPartial({ ...shownOne, ttlSeconds: 1 }), ledger.call),
      )
    }
    return await codeOf(replica.coupons.redeemCoupon(RedeemCouponRequest.fromPartial(shownOne), ledger.call))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, caller))
  assert.equal(first.repeats + second.repeats, 0, 'transactions that lost a deadlock')
  const result = await verifyLedger(ledger.database)
  assert(
    result.ok,
    JSON.stringify(result, (_, value) => String(value)),
  )
})
