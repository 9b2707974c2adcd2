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
import { meterCertificates } from './certificate-meter.ts'
import { type Config, readServiceConfig } from './config.ts'
import type { Context } from './context.ts'
import { Designs } from './designs.ts'
import { createSecrets } from './domain/secrets.ts'
import { Fetches } from './fetches.ts'
import { GoogleRootKeys } from './google-root-keys.ts'
import { createLimits } from './http/limits.ts'
import { startWebServer } from './http/web-server.ts'
import { startJobs } from './jobs/index.ts'
import { createMeters } from './metrics.ts'
import { type KeyClient, Names } from './names.ts'
import { PassTypes } from './pass-types.ts'
import { Previews } from './preview/previews.ts'
import { Renderer } from './renderer.ts'
import { passesBinding } from './rpc/index.ts'
import { SignQueue } from './sign-queue.ts'
import { Signers } from './signers.ts'
import { createPhoneReads } from './store/phone-reads.ts'

/** Name of the service. */
export const SERVICE_NAME = 'pass-render'
/** What the service keeps in PostgreSQL. */
export const ownSchema = {
  schema: 'pass_render',
  migrationsDir: new URL('./store/migrations/', import.meta.url),
} as const
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
  const { capacity, signQueue } = context.value
  await capacity.start(web.port, () => web.waiting + signQueue.length)
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
      ...ownSchema,
      logger,
      poolSize: POOL_SIZE,
    }),
  )
  const access = stack.use(await watchAccess(nats, config.platform))
  const brands = stack.use(await watchBrands(nats))
  const credentials = stack.use(await openCredentials({ dir: config.credentialsDir, logger }))
  meterCertificates(brands, credentials, meters)
  const relay = stack.use(startRelay({ database, nats, logger, metrics }))
  const clock = systemClock
  const secrets = createSecrets(config.masterKey)
  const fetches = stack.use(new Fetches({ database, relay, clock, logger, meters, secrets }))
  const capacity = stack.use(new Capacity(nats, logger, meters))
  const names = new Names(openEnrollment(config, stack), clock, logger, meters)
  const designs = new Designs(database)
  const webUrl = (brand: string): string => {
    const domain = brands.get(brand)?.domain ?? ''
    return domain === '' ? (config.webUrl ?? `https://localhost:${built.webPort}`) : `https://${domain}`
  }
  const signers = new Signers(credentials, clock, logger, meters)
  const googleRootKeys = new GoogleRootKeys(config.googleRootKeysUrl, clock, logger)
  const signQueue = new SignQueue(meters, capacity)
  const renderer = new Renderer({
    database,
    brands,
    designs,
    signers,
    names,
    queue: signQueue,
    clock,
    meters,
    webUrl,
  })
  const shared = { clock, logger, metrics, meters, database, nats, relay, brands, credentials, secrets }
  const forPhones = {
    phoneReads: createPhoneReads(database),
    passTypes: new PassTypes(brands),
    limits: createLimits(),
  }
  const parts = { designs, renderer, signers, signQueue, googleRootKeys, fetches, previews: new Previews(), capacity }
  const value: Context = { ...shared, ...forPhones, ...parts, webUrl }
  const built: Built = { value, access, webPort: config.webPort }
  return built
}

function openEnrollment(config: Config, stack: AsyncDisposableStack): KeyClient | undefined {
  const { enrollmentAddress, platform } = config
  if (enrollmentAddress === undefined || platform.serviceKey === undefined) return undefined
  const settings = { address: enrollmentAddress, apiKey: platform.serviceKey, platform }
  return stack.use(createClient(EnrollmentServiceService, settings))
}
