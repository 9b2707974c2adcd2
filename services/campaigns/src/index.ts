import {
  bind,
  connectNats,
  createClient,
  createLogger,
  createMetrics,
  ensureStreams,
  openDatabase,
  type RunningService,
  readPlatformConfig,
  type ServiceModule,
  startRelay,
  startServer,
  systemClock,
  uuidv7,
  watchAccess,
  watchBrands,
  watchCapacity,
} from '@stampede/platform'
import { AnalyticsServiceService } from '@stampede/proto/analytics/v1'
import { CampaignsServiceService } from '@stampede/proto/campaigns/v1'
import { readCampaignsConfig } from './config.ts'
import type { Context } from './context.ts'
import { startFetches } from './jobs/fetches.ts'
import { startLeader } from './jobs/leader.ts'
import { startPacingMeter } from './jobs/pacing-meter.ts'
import { startReach } from './jobs/reach.ts'
import { startResults } from './jobs/results.ts'
import { createCampaignsMetrics } from './metrics.ts'
import { campaignsHandlers } from './rpc/handlers.ts'

const NAME = 'campaigns'
const ownSchema = { schema: NAME, migrationsDir: new URL('./store/migrations/', import.meta.url) }
const audienceDeadlineMs = 50_000

/** Audiences, messages, pacing and progress of campaigns. */
export const service: ServiceModule = { name: NAME, ownSchema, start }

async function start(env: NodeJS.ProcessEnv): Promise<RunningService> {
  const platform = readPlatformConfig(env)
  const config = readCampaignsConfig(env)
  const logger = createLogger(NAME, platform.logLevel)
  const metrics = createMetrics(NAME)
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await openDatabase({ url: platform.postgresUrl, ...ownSchema, logger }))
  const nats = stack.use(await connectNats({ url: platform.natsUrl, name: NAME, logger }))
  await ensureStreams(nats)
  const access = stack.use(await watchAccess(nats, platform))
  const brands = stack.use(await watchBrands(nats))
  const capacity = stack.use(await watchCapacity(nats))
  const relay = stack.use(startRelay({ database, nats, logger, metrics }))
  const address = config.analyticsAddress
  const apiKey = platform.serviceKey ?? ''
  const analytics = stack.use(createClient(AnalyticsServiceService, { address, apiKey, platform }))
  const context: Context = {
    database,
    clock: systemClock,
    newId: uuidv7,
    brands,
    capacity,
    logger,
    metrics: createCampaignsMetrics(metrics),
    readAudience: (brand, segments) =>
      analytics.getAudience({ brand, segments: [...segments] }, { deadlineMs: audienceDeadlineMs }),
    wakeRelay: () => relay.wake(),
    wakeLeader: () => leader.wake(),
  }
  const leader = stack.use(startLeader(context, logger))
  stack.use(startPacingMeter(context, logger))
  stack.use(await startReach(context, nats, logger, metrics))
  stack.use(await startResults(context, nats, logger, metrics))
  stack.use(await startFetches(context, nats, logger, metrics))
  const server = stack.use(
    await startServer({
      name: NAME,
      bindings: [bind(CampaignsServiceService, campaignsHandlers(context))],
      grpcPort: config.grpcPort,
      httpPort: config.httpPort,
      platform,
      access,
      logger,
      metrics,
      ready: () => nats.isConnected(),
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
