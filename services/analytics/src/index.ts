import {
  type ClickHouse,
  connectNats,
  createLogger,
  createMetrics,
  ensureStreams,
  type Logger,
  meterDeadLetters,
  openClickHouse,
  openDatabase,
  type RunningService,
  type ServiceModule,
  startServer,
  systemClock,
  watchAccess,
  watchBrands,
} from '@stampede/platform'
import { type AnalyticsConfig, readAnalyticsConfig } from './config.ts'
import type { AnalyticsContext } from './context.ts'
import { eventSource, pushSource } from './jobs/source.ts'
import { StreamReader } from './jobs/stream-reader.ts'
import { analyticsMetrics } from './metrics.ts'
import { analyticsBinding } from './rpc/handlers.ts'
import { createTables, storeId } from './store/schema.ts'

const name = 'analytics'
const ownSchema = { schema: name, migrationsDir: new URL('./store/migrations/', import.meta.url) }

/** The service: takes the streams into ClickHouse and answers from there. */
export const service: ServiceModule = {
  name,
  ownSchema,
  start: async (env) => {
    const config = readAnalyticsConfig(env)
    const logger = createLogger(name, config.platform.logLevel)
    await using stack = new AsyncDisposableStack()
    const running = await start(config, logger, stack)
    const owned = stack.move()
    return { ...running, [Symbol.asyncDispose]: () => owned.disposeAsync() }
  },
}

async function start(
  config: AnalyticsConfig,
  logger: Logger,
  stack: AsyncDisposableStack,
): Promise<Omit<RunningService, typeof Symbol.asyncDispose>> {
  const { platform } = config
  const registry = createMetrics(name)
  const metrics = analyticsMetrics(registry)
  const database = stack.use(await openDatabase({ url: platform.postgresUrl, ...ownSchema, logger }))
  const nats = stack.use(await connectNats({ url: platform.natsUrl, name, logger }))
  await ensureStreams(nats)
  const brands = stack.use(await watchBrands(nats))
  const access = stack.use(await watchAccess(nats, platform))

  // One statement runs at a time on a connection of the embedded engine: what must not wait for each other has its own.
  const connect = async (): Promise<ClickHouse> =>
    stack.use(await openClickHouse({ url: platform.clickhouseUrl, dataDir: config.clickhouseDir }))
  const events = await connect()
  await createTables(events)
  const store = await storeId(events)
  const context: AnalyticsContext = {
    database,
    reads: await connect(),
    batch: await connect(),
    brands,
    clock: systemClock,
    logger,
    metrics,
  }

  // The embedded engine locks its folder.
  const isOnlyWriter = platform.clickhouseUrl === undefined
  const shared = { nats, database, storeId: store, isOnlyWriter, logger, metrics }
  const readers = [
    stack.use(new StreamReader({ ...shared, source: eventSource, clickhouse: events })),
    stack.use(new StreamReader({ ...shared, source: pushSource, clickhouse: await connect() })),
  ]
  for (const reader of readers) reader.start()
  stack.use(meterDeadLetters(nats, registry, logger))

  const { grpcPort, httpPort } = stack.use(
    await startServer({
      name,
      bindings: [analyticsBinding(context)],
      grpcPort: config.grpcPort,
      httpPort: config.httpPort,
      platform,
      access,
      logger,
      metrics: registry,
      ready: () => !nats.connection.isClosed(),
    }),
  )
  return { name, grpcPort, httpPort }
}
