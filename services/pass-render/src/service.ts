import {
  connectNats,
  createClient,
  createLogger,
  createMetrics,
  ensureStreams,
  openCredentials,
  openDatabase,
  type RunningService,
  startRelay,
  startServer,
  systemClock,
  watchAccess,
  watchBrands,
} from '@stampede/platform'
import { EnrollmentServiceService } from '@stampede/proto/enrollment/v1'
import { Capacity } from './capacity.ts'
import { type Config, readServiceConfig } from './config.ts'
import type { Context } from './context.ts'
import { Designs } from './designs.ts'
import { createSecrets } from './domain/secrets.ts'
import { Fetches } from './fetches.ts'
import { startWebServer } from './http/web-server.ts'
import { startJobs } from './jobs/index.ts'
import { createMeters } from './metrics.ts'
import { type KeyClient, Names } from './names.ts'
import { Renderer } from './renderer.ts'
import { passesBinding } from './rpc/index.ts'
import { SignQueue } from './sign-queue.ts'
import { Signers } from './signers.ts'
import { createPhoneReads } from './store/phone-reads.ts'

/** Name of the service. */
export const SERVICE_NAME = 'pass-render'
/** Connections to PostgreSQL: consumers, phones and the relay share them. */
const POOL_SIZE = 16

/** The running service; `webPort` is the PassKit web service's. */
export interface RunningPassRender extends RunningService {
  readonly webPort: number
}

/** Starts the service from its environment. */
export async function startPassRender(env: NodeJS.ProcessEnv): Promise<RunningPassRender> {
  const config = readServiceConfig(env)
  const logger = createLogger(SERVICE_NAME, config.platform.logLevel)
  logger.info({ config: config.description }, 'starting')
  await using stack = new AsyncDisposableStack()
  const nats = stack.use(await connectNats({ url: config.platform.natsUrl, name: SERVICE_NAME, logger }))
  await ensureStreams(nats)
  const context = await buildContext(config, nats, logger, stack)
  const web = stack.use(await startWebServer(webOptions(config), () => context.value))
  context.webPort = web.port
  stack.use(await startJobs(context.value))
  await context.value.capacity.start()
  const { access } = context
  const server = stack.use(
    await startServer({
      name: SERVICE_NAME,
      bindings: [passesBinding(context.value)],
      grpcPort: config.grpcPort,
      httpPort: config.httpPort,
      platform: config.platform,
      access,
      logger,
      metrics: context.value.metrics,
      ready: () => true,
    }),
  )
  const owned = stack.move()
  return {
    name: SERVICE_NAME,
    grpcPort: server.grpcPort,
    httpPort: server.httpPort,
    webPort: web.port,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function webOptions(config: Config) {
  return {
    port: config.webPort,
    host: config.platform.listenHost,
    certPem: config.webCertPem,
    keyPem: config.webKeyPem,
  }
}

interface Built {
  readonly value: Context
  readonly access: Awaited<ReturnType<typeof watchAccess>>
  /** Known once the web service listens. */
  webPort: number
}

async function buildContext(
  config: Config,
  nats: Context['nats'],
  logger: Context['logger'],
  stack: AsyncDisposableStack,
): Promise<Built> {
  const metrics = createMetrics(SERVICE_NAME)
  const meters = createMeters(metrics)
  const database = stack.use(
    await openDatabase({
      url: config.platform.postgresUrl,
      schema: 'pass_render',
      migrationsDir: new URL('./store/migrations/', import.meta.url),
      logger,
      poolSize: POOL_SIZE,
    }),
  )
  const access = stack.use(await watchAccess(nats, config.platform))
  const brands = stack.use(await watchBrands(nats))
  const credentials = stack.use(await openCredentials({ dir: config.credentialsDir, logger }))
  const relay = stack.use(startRelay({ database, nats, logger, metrics }))
  const clock = systemClock
  const fetches = stack.use(new Fetches({ database, relay, clock, logger }))
  const capacity = stack.use(new Capacity(nats, logger, meters))
  const names = new Names(openEnrollment(config, stack), clock, logger, meters)
  const secrets = createSecrets(config.masterKey)
  const designs = new Designs(database)
  const webUrl = () => config.webUrl ?? `https://localhost:${built.webPort}`
  const signers = new Signers(credentials, clock, logger)
  const queue = new SignQueue(meters)
  const renderer = new Renderer({ brands, designs, signers, names, queue, secrets, clock, webUrl })
  const shared = { clock, logger, metrics, meters, database, nats, relay, brands, credentials, secrets }
  const phoneReads = createPhoneReads(database)
  const value: Context = { ...shared, designs, renderer, signers, phoneReads, fetches, capacity, webUrl }
  const built: Built = { value, access, webPort: config.webPort }
  return built
}

function openEnrollment(config: Config, stack: AsyncDisposableStack): KeyClient | undefined {
  const { enrollmentAddress, platform } = config
  if (enrollmentAddress === undefined || platform.serviceKey === undefined) return undefined
  const settings = { address: enrollmentAddress, apiKey: platform.serviceKey, platform }
  return stack.use(createClient(EnrollmentServiceService, settings))
}
