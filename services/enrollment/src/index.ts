import {
  bind,
  ConfigError,
  connectNats,
  createLogger,
  createMetrics,
  type Database,
  ensureStreams,
  openDatabase,
  type RunningService,
  readPlatformConfig,
  type ServiceModule,
  startRelay,
  startServer,
  systemClock,
  watchAccess,
} from '@stampede/platform'
import { EnrollmentServiceService } from '@stampede/proto/enrollment/v1'
import { openBrand } from './brand-access.ts'
import { type EnrollmentConfig, MASTER_KEY_ENV, readEnrollmentConfig } from './config.ts'
import type { Context } from './context.ts'
import { startForgettingRequests } from './jobs/forget-requests.ts'
import { createEnrollmentMetrics } from './metrics.ts'
import { createApiKey } from './rpc/create-api-key.ts'
import { createBrand } from './rpc/create-brand.ts'
import { enroll } from './rpc/enroll.ts'
import { getBrand } from './rpc/get-brand.ts'
import { getMember } from './rpc/get-member.ts'
import { getMemberKeys } from './rpc/get-member-keys.ts'
import { importMembers } from './rpc/import-members.ts'
import { listMembers } from './rpc/list-members.ts'
import { revokeApiKey } from './rpc/revoke-api-key.ts'
import { updateBrand } from './rpc/update-brand.ts'
import { findAnyBrand } from './store/brands.ts'

const NAME = 'enrollment'
const ownSchema = { schema: NAME, migrationsDir: new URL('./store/migrations/', import.meta.url) }

/** Brands, API keys, members and cards; the only home of personal data. */
export const service: ServiceModule = { name: NAME, ownSchema, start }

async function start(env: NodeJS.ProcessEnv): Promise<RunningService> {
  const platform = readPlatformConfig(env)
  const config = readEnrollmentConfig(env)
  const logger = createLogger(NAME, platform.logLevel)
  const metrics = createMetrics(NAME)

  await using stack = new AsyncDisposableStack()
  const database = stack.use(await openDatabase({ url: platform.postgresUrl, ...ownSchema, logger }))
  await checkMasterKey(database, config)
  const nats = stack.use(await connectNats({ url: platform.natsUrl, name: NAME, logger }))
  await ensureStreams(nats)
  const access = stack.use(await watchAccess(nats, platform))
  const relay = stack.use(startRelay({ database, nats, logger, metrics }))
  const context: Context = {
    database,
    clock: systemClock,
    masterKey: config.masterKey,
    cardPrefix: config.cardPrefix,
    brands: new Map(),
    metrics: createEnrollmentMetrics(metrics),
    wakeRelay: () => relay.wake(),
  }
  stack.use(startForgettingRequests(context, logger))
  const server = stack.use(
    await startServer({
      name: NAME,
      bindings: [bind(EnrollmentServiceService, handlers(context))],
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

function handlers(context: Context): Parameters<typeof bind<typeof EnrollmentServiceService>>[1] {
  return {
    createBrand: (request) => createBrand(context, request),
    updateBrand: (request) => updateBrand(context, request),
    getBrand: (request) => getBrand(context, request),
    createApiKey: (request) => createApiKey(context, request),
    revokeApiKey: (request) => revokeApiKey(context, request),
    enroll: (request) => enroll(context, request),
    importMembers: (request) => importMembers(context, request),
    getMember: (request) => getMember(context, request),
    listMembers: (request) => listMembers(context, request),
    getMemberKeys: (request) => getMemberKeys(context, request),
  }
}

/** A wrong master key must stop the service at start, not each enrolment later. Throws ConfigError. */
async function checkMasterKey(database: Database, { masterKey }: EnrollmentConfig): Promise<void> {
  const row = await findAnyBrand(database)
  if (row === undefined) return
  try {
    openBrand(masterKey, row)
  } catch (error) {
    throw new ConfigError(`${MASTER_KEY_ENV} is not the key that this database was made with`, { cause: error })
  }
}
