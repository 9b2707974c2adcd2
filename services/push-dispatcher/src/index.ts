import {
  connectNats,
  createLogger,
  createMetrics,
  ensureStreams,
  openCredentials,
  type RunningService,
  readPlatformConfig,
  type ServiceModule,
  startServer,
  uuidv7,
  watchAccess,
  watchBrands,
  watchControl,
} from '@stampede/platform'
import { watchLoad } from './apns/load-gauges.ts'
import { readDispatcherConfig } from './config.ts'
import { assertCredentials, createLaneParts, createTransport } from './context.ts'
import { startGoogle } from './google/index.ts'
import { BrandLanes } from './jobs/brand-lanes.ts'
import { startPresence } from './jobs/presence.ts'
import { createDispatcherMetrics } from './metrics.ts'

const NAME = 'push-dispatcher'

/** Sends pushes to APNs and resources to Google Wallet, and reports every outcome. Owns nothing durable. */
export const service: ServiceModule = { name: NAME, start }

async function start(env: NodeJS.ProcessEnv): Promise<RunningService> {
  const platform = readPlatformConfig(env)
  const config = readDispatcherConfig(env)
  const logger = createLogger(NAME, platform.logLevel)
  const registry = createMetrics(NAME)
  const metrics = createDispatcherMetrics(registry)

  await using stack = new AsyncDisposableStack()
  const nats = stack.use(await connectNats({ url: platform.natsUrl, name: NAME, logger }))
  await ensureStreams(nats)
  const access = stack.use(await watchAccess(nats, platform))
  const brands = stack.use(await watchBrands(nats))
  const control = stack.use(await watchControl(nats))
  const credentials = stack.use(await openCredentials({ dir: config.credentialsDir, logger }))
  assertCredentials(credentials, brands, config.apnsUrl.hostname)
  const input = { nats, brands, control, credentials, config, logger, metrics }
  const transport = stack.use(createTransport(input))
  stack.use(watchLoad(transport, metrics))
  stack.use(await startGoogle({ nats, brands, credentials, control, config: config.google, logger, metrics: registry }))
  const presence = stack.use(await startPresence({ nats, replica: uuidv7(), logger }))
  stack.use(new BrandLanes(createLaneParts(input, transport, presence), presence))
  // First of all at the end: the others take over while this replica finishes what it has in hand.
  stack.defer(() => presence.leave())
  const server = stack.use(
    await startServer({
      name: NAME,
      bindings: [],
      grpcPort: config.grpcPort,
      httpPort: config.httpPort,
      platform,
      access,
      logger,
      metrics: registry,
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
