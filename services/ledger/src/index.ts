import {
  bind,
  connectDatabase,
  connectNats,
  createLogger,
  createMetrics,
  ensureStreams,
  openDatabase,
  type RunningService,
  type ServiceModule,
  startRelay,
  startServer,
  systemClock,
  uuidv7,
  watchAccess,
  watchBrands,
} from '@stampede/platform'
import { CouponServiceService } from '@stampede/proto/coupons/v1'
import { DonationServiceService } from '@stampede/proto/donations/v1'
import { DrawServiceService } from '@stampede/proto/draws/v1'
import { GiftCardServiceService } from '@stampede/proto/giftcards/v1'
import { LedgerServiceService } from '@stampede/proto/ledger/v1'
import { MoneyServiceService } from '@stampede/proto/money/v1'
import { ParkedReturnServiceService } from '@stampede/proto/parked/v1'
import { PointsServiceService } from '@stampede/proto/points/v1'
import { PriceSetServiceService } from '@stampede/proto/prices/v1'
import { ReferralServiceService } from '@stampede/proto/referrals/v1'
import { RewardServiceService } from '@stampede/proto/rewards/v1'
import { StampCardServiceService } from '@stampede/proto/stamps/v1'
import { SubscriptionServiceService } from '@stampede/proto/subscriptions/v1'
import { TierServiceService } from '@stampede/proto/tiers/v1'
import { readLedgerConfig } from './config.ts'
import { MissLimiter } from './domain/coupons/miss-limiter.ts'
import { Committer } from './flush/committer.ts'
import { flushDue, flushItems } from './flush/flush.ts'
import { startReceiptFollower } from './jobs/follow-receipts.ts'
import { startMembers } from './jobs/members.ts'
import { startNightlyVerify } from './jobs/nightly-verify.ts'
import { postParked } from './jobs/parked-returns.ts'
import { settleDue } from './jobs/settle-due.ts'
import { startSweeper } from './jobs/sweeper.ts'
import { createLedgerMetrics } from './metrics.ts'
import { couponHandlers } from './rpc/coupons/handlers.ts'
import { donationHandlers } from './rpc/donations/handlers.ts'
import { drawHandlers } from './rpc/draws/handlers.ts'
import { giftCardHandlers } from './rpc/gift-cards/handlers.ts'
import { ledgerHandlers, parkedHandlers, stampHandlers } from './rpc/handlers.ts'
import { moneyHandlers } from './rpc/money/handlers.ts'
import { pointsHandlers } from './rpc/points/handlers.ts'
import { priceSetHandlers } from './rpc/prices/handlers.ts'
import { referralHandlers } from './rpc/referrals/handlers.ts'
import { rewardHandlers } from './rpc/rewards/handlers.ts'
import { subscriptionHandlers } from './rpc/subscriptions/handlers.ts'
import { tierHandlers } from './rpc/tiers/handlers.ts'
import { releaseExpired } from './store/coupons/release-expired.ts'
import { expireGiftCards } from './store/gift-cards/expire.ts'
import { Months } from './store/months.ts'
import { Programmes } from './store/programmes.ts'
import { migrationsDir, schema } from './store/schema.ts'

export { verifyAndRecord } from './jobs/nightly-verify.ts'
export { schema as ledgerSchema } from './store/schema.ts'
export { type VerifyResult, verifyLedger } from './verify.ts'

const NAME = 'ledger'
/** One statement over a whole table or a month of it may take so long. */
const WHOLE_TABLE_TIMEOUT_MS = 30 * 60_000

/** The ledger as a service. */
export const service: ServiceModule = { name: NAME, ownSchema: { schema, migrationsDir }, start }

async function start(env: NodeJS.ProcessEnv): Promise<RunningService> {
  const config = readLedgerConfig(env)
  const { platform } = config
  const logger = createLogger(NAME, platform.logLevel)
  const metrics = createMetrics(NAME)
  const own = createLedgerMetrics(metrics)
  const clock = systemClock
  await using stack = new AsyncDisposableStack()
  const database = stack.use(
    await openDatabase({ url: platform.postgresUrl, schema, migrationsDir, logger, poolSize: config.poolSize }),
  )
  const forWholeTables = {
    url: platform.postgresUrl,
    schema,
    logger,
    poolSize: 1,
    statementTimeoutMs: WHOLE_TABLE_TIMEOUT_MS,
  }
  const patient = stack.use(connectDatabase(forWholeTables))
  const nats = stack.use(await connectNats({ url: platform.natsUrl, name: NAME, logger }))
  await ensureStreams(nats)
  const brands = stack.use(await watchBrands(nats))
  const access = stack.use(await watchAccess(nats, platform))
  const relay = stack.use(startRelay({ database, nats, logger, metrics }))
  const programmes = new Programmes()
  const months = new Months()
  const misses = new MissLimiter()
  const flushContext = { database, brands, clock, programmes, months, misses, newId: uuidv7 }
  const committer = stack.use(
    new Committer({
      flush: (items) => flushItems(flushContext, items),
      nowMs: () => clock.nowMs(),
      onFlushed: ({ items, seconds }) => {
        own.flushItems.observe(items)
        own.flushSeconds.observe(seconds)
        own.queuedItems.set(committer.queued)
        relay.wake()
      },
    }),
  )
  stack.use(await startMembers({ nats, database, logger, metrics }))
  const context = { database, brands, clock, programmes, months, misses, committer }
  stack.use(
    startSweeper({
      sweep: async (limit) =>
        (await flushDue(flushContext, limit)) +
        (await releaseExpired(database, clock.now(), limit)) +
        (await postParked(context, limit)) +
        (await expireGiftCards({ database, brands }, clock.now(), limit)) +
        (await settleDue(context, limit)),
      database: patient,
      clock,
      intervalMs: config.sweepSeconds * 1_000,
      retention: { keptMonths: config.keptMonths },
      logger,
      metrics: own,
      onSwept: () => relay.wake(),
    }),
  )
  const onFollowed = () => relay.wake()
  stack.use(await startReceiptFollower({ context, nats, logger, metrics, onFollowed }))
  stack.use(
    startNightlyVerify({
      database,
      openForCheck: () => connectDatabase(forWholeTables),
      clock,
      hour: config.verifyHour,
      logger,
      metrics: own,
    }),
  )
  const server = stack.use(
    await startServer({
      name: NAME,
      bindings: [
        bind(LedgerServiceService, ledgerHandlers(context)),
        bind(PointsServiceService, pointsHandlers(context)),
        bind(TierServiceService, tierHandlers(context)),
        bind(StampCardServiceService, stampHandlers(context)),
        bind(ParkedReturnServiceService, parkedHandlers(context)),
        bind(RewardServiceService, rewardHandlers(context)),
        bind(CouponServiceService, couponHandlers(context)),
        bind(DonationServiceService, donationHandlers(context)),
        bind(DrawServiceService, drawHandlers(context)),
        bind(MoneyServiceService, moneyHandlers(context)),
        bind(ReferralServiceService, referralHandlers(context)),
        bind(SubscriptionServiceService, subscriptionHandlers(context)),
        bind(GiftCardServiceService, giftCardHandlers(context)),
        bind(PriceSetServiceService, priceSetHandlers(context)),
      ],
      grpcPort: config.grpcPort,
      httpPort: config.httpPort,
      platform,
      access,
      logger,
      metrics,
      ready: () => !nats.connection.isClosed(),
    }),
  )
  const running = stack.move()
  return {
    name: NAME,
    grpcPort: server.grpcPort,
    httpPort: server.httpPort,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
