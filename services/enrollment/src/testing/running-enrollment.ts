import { randomBytes } from 'node:crypto'
import {
  connectNats,
  createClient,
  createLogger,
  type Database,
  type Nats,
  openDatabase,
  type RunningService,
  readPlatformConfig,
  type ServiceClient,
} from '@stampede/platform'
import { platformEnv, type TestKeys, testKeys, testNats, testPostgres } from '@stampede/platform/testing'
import { Brand, EnrollmentServiceService } from '@stampede/proto/enrollment/v1'
import { service } from '../index.ts'

/** A client of the service. */
export type EnrollmentClient = ServiceClient<typeof EnrollmentServiceService>

/** The service on real servers of its own, with clients and a look behind the scenes. */
export interface RunningEnrollment extends AsyncDisposable {
  readonly client: EnrollmentClient
  /** With the key of our own services. */
  readonly internal: EnrollmentClient
  readonly service: RunningService
  readonly database: Database
  readonly nats: Nats
  readonly env: NodeJS.ProcessEnv
  readonly keys: TestKeys
  /** A client with another API key. */
  connect(apiKey: string): EnrollmentClient
}

/** Starts it all. */
export async function startEnrollment(): Promise<RunningEnrollment> {
  await using stack = new AsyncDisposableStack()
  const postgres = stack.use(await testPostgres())
  const natsServer = stack.use(await testNats())
  const keys = testKeys()
  const extra = { STAMPEDE_ENROLLMENT_MASTER_KEY: randomBytes(32).toString('base64') }
  const env = platformEnv({ postgres, nats: natsServer, keys, extra })
  const running = stack.use(await service.start(env))
  const logger = createLogger('test', 'silent')
  const migrationsDir = new URL('../store/migrations/', import.meta.url)
  const database = stack.use(await openDatabase({ url: postgres.url, schema: 'enrollment', migrationsDir, logger }))
  const nats = stack.use(await connectNats({ url: natsServer.url, name: 'test', logger }))
  const platform = readPlatformConfig(env)
  const clients = stack.use(new AsyncDisposableStack())
  const address = `127.0.0.1:${running.grpcPort}`
  const connect = (apiKey: string): EnrollmentClient =>
    clients.use(createClient(EnrollmentServiceService, { address, apiKey, platform }))
  const owned = stack.move()
  return {
    client: connect(keys.rootKey),
    internal: connect(keys.serviceKey),
    service: running,
    database,
    nats,
    env,
    keys,
    connect,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** A brand with a slug of its own. */
export function testBrand(slug: string): Brand {
  return Brand.fromPartial({
    brand: slug,
    name: `Brand ${slug}`,
    timeZone: 'Europe/London',
    currency: 'GBP',
    passTypeId: `pass.com.example.${slug}`,
    teamId: 'ABCDE12345',
    googleIssuerId: '3388000000022222222',
    contact: '1 High Street, London',
  })
}
