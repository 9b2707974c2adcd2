import { createHash } from 'node:crypto'
import { after, before } from 'node:test'
import {
  type BrandInfo,
  type CallContext,
  createLogger,
  type Database,
  openDatabase,
  StampedeError,
  uuidv7,
} from '@stampede/platform'
import { type TestClock, testClock, testPostgres } from '@stampede/platform/testing'
import { Event } from '@stampede/proto/events/v1'
import {
  CreateHoldRequest,
  PostReceiptRequest,
  type ReceiptBatchResult,
  ReturnReceiptRequest,
} from '@stampede/proto/ledger/v1'
import { type DeepPartial, Programme } from '@stampede/proto/programmes/v1'
import type { LedgerContext } from '../context.ts'
import { MissLimiter } from '../domain/coupons/miss-limiter.ts'
import { Committer } from '../flush/committer.ts'
import { type FlushContext, flushItems } from '../flush/flush.ts'
import { followReceipts } from '../jobs/follow-receipts.ts'
import { settleDue } from '../jobs/settle-due.ts'
import { couponHandlers } from '../rpc/coupons/handlers.ts'
import { donationHandlers } from '../rpc/donations/handlers.ts'
import { drawHandlers } from '../rpc/draws/handlers.ts'
import { giftCardHandlers } from '../rpc/gift-cards/handlers.ts'
import { ledgerHandlers, parkedHandlers, stampHandlers } from '../rpc/handlers.ts'
import { moneyHandlers } from '../rpc/money/handlers.ts'
import { pointsHandlers } from '../rpc/points/handlers.ts'
import { priceSetHandlers } from '../rpc/prices/handlers.ts'
import { putProgramme } from '../rpc/put-programme.ts'
import { referralHandlers } from '../rpc/referrals/handlers.ts'
import { rewardHandlers } from '../rpc/rewards/handlers.ts'
import { subscriptionHandlers } from '../rpc/subscriptions/handlers.ts'
import { tierHandlers } from '../rpc/tiers/handlers.ts'
import { Months } from '../store/months.ts'
import { Programmes } from '../store/programmes.ts'
import { migrationsDir, schema } from '../store/schema.ts'

/** Brand of the tests. */
export const BRAND = 'demo'

const brand: BrandInfo = {
  brand: BRAND,
  name: 'Demo',
  timeZone: 'Europe/Berlin',
  currency: 'EUR',
  passTypeId: 'pass.demo',
  teamId: 'TEAM123456',
  googleIssuerId: '',
  weight: 10,
  maxBulkPerSecond: 0,
  contact: '',
  pushType: 'background',
  pushPriority: 5,
  pushExpirationSeconds: 86_400,
  domain: '',
}

/** The brand of the tests, and others beside it whose names begin with its own. */
function brandInfo(slug: string): BrandInfo | undefined {
  return slug === BRAND || slug.startsWith(`${BRAND}-`) ? { ...brand, brand: slug } : undefined
}

/** Keeps one PostgreSQL for all tests of a file: it would end with the first test and start with the next. */
export function keepPostgres(): void {
  let kept: AsyncDisposable | undefined
  before(async () => {
    kept = await testPostgres()
  })
  after(() => kept?.[Symbol.asyncDispose]())
}

/** A ledger on a real database, without network. */
export interface TestLedger extends AsyncDisposable {
  readonly database: Database
  readonly clock: TestClock
  readonly context: LedgerContext
  readonly flushContext: FlushContext
  readonly handlers: ReturnType<typeof ledgerHandlers>
  readonly points: ReturnType<typeof pointsHandlers>
  readonly tiers: ReturnType<typeof tierHandlers>
  readonly coupons: ReturnType<typeof couponHandlers>
  readonly donations: ReturnType<typeof donationHandlers>
  readonly draws: ReturnType<typeof drawHandlers>
  readonly rewards: ReturnType<typeof rewardHandlers>
  readonly stamps: ReturnType<typeof stampHandlers>
  readonly parked: ReturnType<typeof parkedHandlers>
  readonly money: ReturnType<typeof moneyHandlers>
  readonly referrals: ReturnType<typeof referralHandlers>
  readonly subscriptions: ReturnType<typeof subscriptionHandlers>
  readonly giftCards: ReturnType<typeof giftCardHandlers>
  readonly prices: ReturnType<typeof priceSetHandlers>
  /** Publishes a version of the programme that differs from the first one, for receipts of whatever time. */
  publish(rules: DeepPartial<Programme>): Promise<void>
  /** Context of a call that waits long enough. */
  readonly call: CallContext
  /** Items of each transaction so far. */
  readonly flushes: number[]
  /** A second replica on the same database. */
  replica(): TestReplica
}

/** Handlers with a queue of their own. */
export interface TestReplica extends AsyncDisposable {
  readonly handlers: ReturnType<typeof ledgerHandlers>
  readonly points: ReturnType<typeof pointsHandlers>
  readonly rewards: ReturnType<typeof rewardHandlers>
  readonly committer: Committer
}

const firstProgramme = {
  earnBasisPoints: 500,
  pointsLiveDays: 365,
  maxPayBasisPoints: 10_000,
  pointValueMinor: 1n,
  holdSeconds: 900,
}

/** Opens a ledger with one brand: 5 % back, everything payable with points, a point is a cent. */
export async function testLedger(): Promise<TestLedger> {
  await using stack = new AsyncDisposableStack()
  const postgres = stack.use(await testPostgres())
  const logger = createLogger('ledger', 'silent')
  const database = stack.use(await openDatabase({ url: postgres.url, schema, migrationsDir, logger }))
  const clock = testClock('2026-11-20T12:00:00Z')
  const brands = { get: brandInfo }
  const programmes = new Programmes()
  const months = new Months()
  const misses = new MissLimiter()
  const flushContext = { database, brands, clock, programmes, months, misses, newId: uuidv7 }
  const flushes: number[] = []
  const open = () =>
    new Committer({
      flush: (items) => flushItems(flushContext, items),
      nowMs: () => clock.nowMs(),
      onFlushed: ({ items }) => flushes.push(items),
    })
  const committer = stack.use(open())
  const context = { database, brands, clock, programmes, months, misses, committer }
  let version = 0
  const publish = async (rules: DeepPartial<Programme>) => {
    version += 1
    await putProgramme(context, {
      idempotencyKey: `programme-${version}`,
      brand: BRAND,
      programme: Programme.fromPartial({ ...firstProgramme, ...rules }),
      effectiveAt: new Date(0),
    })
  }
  await publish({})
  const moved = stack.move()
  return {
    database,
    clock,
    context,
    flushContext,
    handlers: ledgerHandlers(context),
    points: pointsHandlers(context),
    tiers: tierHandlers(context),
    coupons: couponHandlers(context),
    donations: donationHandlers(context),
    draws: drawHandlers(context),
    rewards: rewardHandlers(context),
    stamps: stampHandlers(context),
    parked: parkedHandlers(context),
    money: moneyHandlers(context),
    referrals: referralHandlers(context),
    subscriptions: subscriptionHandlers(context),
    giftCards: giftCardHandlers(context),
    prices: priceSetHandlers(context),
    call: {
      caller: { keyId: 'till', role: 'till', brands: [BRAND] },
      signal: new AbortController().signal,
      deadline: new Date('2100-01-01'),
    },
    publish,
    flushes,
    replica: () => {
      const own = open()
      return {
        handlers: ledgerHandlers({ ...context, committer: own }),
        points: pointsHandlers({ ...context, committer: own }),
        rewards: rewardHandlers({ ...context, committer: own }),
        committer: own,
        [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
      }
    },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  }
}

/** A UUID that a name always gives. */
export function member(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** A sale of one line of 20.00, which earns a point. */
export function saleOf(name: string, number: string, more: Partial<PostReceiptRequest> = {}): PostReceiptRequest {
  return PostReceiptRequest.fromPartial({
    idempotencyKey: `sale-${number}`,
    brand: BRAND,
    memberId: member(name),
    storeId: 'store',
    tillId: 'till',
    number,
    occurredAt: new Date('2026-11-20T11:00:00Z'),
    lines: [{ sku: 'sku', quantity: 1n, amountMinor: 2_000n }],
    ...more,
  })
}

/** A return of the whole first line. */
export function returnOf(receiptId: string, number: string, more: Partial<ReturnReceiptRequest> = {}) {
  return ReturnReceiptRequest.fromPartial({
    idempotencyKey: `return-${number}`,
    brand: BRAND,
    receiptId,
    returnId: number,
    occurredAt: new Date('2026-11-20T11:30:00Z'),
    lines: [{ lineIndex: 0, quantity: 1n }],
    ...more,
  })
}

/** A hold for the basket of that name. */
export function holdOf(name: string, points: bigint, reference: string, more: Partial<CreateHoldRequest> = {}) {
  return CreateHoldRequest.fromPartial({
    idempotencyKey: `hold-${reference}-${points}`,
    brand: BRAND,
    memberId: member(name),
    points,
    reference,
    ...more,
  })
}

/** Code of what a call throws; the result itself when it does not. */
export async function codeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call
  } catch (error) {
    if (error instanceof StampedeError) return error.code
    throw error
  }
}

/** What a result of a batch is: sale, return, or the code of its error. */
export function kindOf(result: ReceiptBatchResult): string {
  const { result: one } = result
  if (one === undefined) return 'nothing'
  return one.$case === 'error' ? one.value.code : one.$case
}

/** Events that the ledger has written so far, in their order. */
export async function eventsOf({ database }: TestLedger): Promise<readonly Event[]> {
  const rows = await database.query<{ payload: Buffer }>('SELECT payload FROM outbox ORDER BY id')
  return rows.map(({ payload }) => Event.decode(payload))
}

/** Delivers all receipts so far to the ledger's own follower, those of earlier calls once more, and does what is due. */
export async function followAll(ledger: TestLedger): Promise<void> {
  await followReceipts(ledger.context, await eventsOf(ledger))
  await settleDue(ledger.context, 200)
}
