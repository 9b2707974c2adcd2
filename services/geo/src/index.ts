import {
  bind,
  connectNats,
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
  watchAccess,
  watchBrands,
} from '@stampede/platform'
import { GeoServiceService } from '@stampede/proto/geo/v1'
import { readGeoConfig } from './config.ts'
import type { Context } from './context.ts'
import { startMemberFollower } from './jobs/follow-members.ts'
import { startStoreFollower } from './jobs/follow-stores.ts'
import { createGeoMetrics } from './metrics.ts'
import { findNearest } from './rpc/find-nearest.ts'
import { getRelevance } from './rpc/get-relevance.ts'
import { listStores } from './rpc/list-stores.ts'
import { putStores } from './rpc/put-stores.ts'
import { createStoreDirectory } from './store-directory.ts'

const NAME = 'geo'
const ownSchema = { schema: NAME, migrationsDir: new URL('./store/migrations/', import.meta.url) }

/** Stores and beacons, and which ten of them a member's pass carries. */
export const service: ServiceModule = { name: NAME, ownSchema, start }

async function start(env: NodeJS.ProcessEnv): Promise<RunningService> {
  const platform = readPlatformConfig(env)
  const config = readGeoConfig(env)
  const logger = createLogger(NAME, platform.logLevel)
  const metrics = createMetrics(NAME)

  await using stack = new AsyncDisposableStack()
  const database = stack.use(await openDatabase({ url: platform.postgresUrl, ...ownSchema, logger }))
  const nats = stack.use(await connectNats({ url: platform.natsUrl, name: NAME, logger }))
  await ensureStreams(nats)
  const access = stack.use(await watchAccess(nats, platform))
  const brands = stack.use(await watchBrands(nats))
  const relay = stack.use(startRelay({ database, nats, logger, metrics }))
  const context: Context = {
    database,
    clock: systemClock,
    brands,
    stores: createStoreDirectory(),
    metrics: createGeoMetrics(metrics),
    wakeRelay: () => relay.wake(),
    wakeFollower: () => follower.wake(),
  }
  const follower = stack.use(startStoreFollower(context, logger))
  stack.use(await startMemberFollower(context, nats, logger, metrics))
  const server = stack.use(
    await startServer({
      name: NAME,
      bindings: [
        bind(GeoServiceService, {
          putStores: (request) => putStores(context, request),
          listStores: (request) => listStores(context, request),
          findNearest: (request) => findNearest(context, request),
          getRelevance: (request) => getRelevance(context, request),
        }),
      ],
      grpcPort: config.grpcPort,
      httpPort: config.httpPort,
      platform,
      access,
      logger,
      metrics,
      ready: () => true,
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
