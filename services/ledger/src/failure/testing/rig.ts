import { join } from 'node:path'
import {
  type BrandInfo,
  connectNats,
  createClient,
  createLogger,
  type Database,
  type EmbeddedPostgres,
  ensureStreams,
  freePort,
  openDatabase,
  readPlatformConfig,
  type ServiceClient,
  startEmbeddedPostgres,
} from '@stampede/platform'
import { type NodeProcess, platformEnv, startNode, tempDir, testKeys, testNats } from '@stampede/platform/testing'
import { DonationServiceService } from '@stampede/proto/donations/v1'
import { LedgerServiceService } from '@stampede/proto/ledger/v1'
import { ReferralServiceService } from '@stampede/proto/referrals/v1'
import { migrationsDir, schema } from '../../store/schema.ts'

const script = new URL('../../../../../scripts/service.ts', import.meta.url)
const brand: BrandInfo = {
  brand: 'demo',
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

/** Callers' side of a replica. */
export type Ledger = ServiceClient<typeof LedgerServiceService>

interface Replica {
  process: NodeProcess<true>
  readonly env: NodeJS.ProcessEnv
  readonly client: Ledger
  readonly referrals: ServiceClient<typeof ReferralServiceService>
  readonly donations: ServiceClient<typeof DonationServiceService>
}

/** Replicas of the ledger, processes of their own, on a PostgreSQL that can be stopped at once and started again. */
export class FailureRig implements AsyncDisposable {
  readonly #dataDir: string
  readonly #port: number
  readonly #stack: AsyncDisposableStack
  readonly #replicas: Replica[] = []
  #postgres: EmbeddedPostgres

  private constructor(dataDir: string, postgres: EmbeddedPostgres, stack: AsyncDisposableStack) {
    this.#dataDir = dataDir
    this.#port = postgres.port
    this.#postgres = postgres
    this.#stack = stack
  }

  /** Starts everything with so many replicas. */
  static async start(replicas: number): Promise<FailureRig> {
    await using stack = new AsyncDisposableStack()
    const dir = stack.use(tempDir('ledger-failure'))
    const dataDir = join(dir.path, 'postgres')
    const postgres = await startEmbeddedPostgres({ dataDir, port: await freePort() })
    const server = stack.use(await testNats())
    const logger = createLogger('rig', 'silent')
    const nats = stack.use(await connectNats({ url: server.url, name: 'rig', logger }))
    await ensureStreams(nats)
    await (await nats.kv('brands')).put(brand.brand, JSON.stringify(brand))
    const keys = testKeys()
    const rig = new FailureRig(dataDir, postgres, stack.move())
    for (let index = 0; index < replicas; index++) {
      const grpcPort = await freePort()
      const extra = {
        STAMPEDE_LEDGER_GRPC_PORT: String(grpcPort),
        STAMPEDE_LEDGER_SWEEP_SECONDS: '1',
        STAMPEDE_LOG_LEVEL: 'fatal',
      }
      const env = platformEnv({ postgres, nats: server, keys, extra })
      const settings = { address: `127.0.0.1:${grpcPort}`, apiKey: keys.rootKey, platform: readPlatformConfig(env) }
      const client = rig.#stack.use(createClient(LedgerServiceService, settings))
      const referrals = rig.#stack.use(createClient(ReferralServiceService, settings))
      const donations = rig.#stack.use(createClient(DonationServiceService, settings))
      rig.#replicas.push({ process: await startReplica(env), env, client, referrals, donations })
    }
    return rig
  }

  /** Clients of the replicas, in their order. */
  get clients(): readonly Ledger[] {
    return this.#replicas.map(({ client }) => client)
  }

  /** A replica's other services. */
  others(index: number): Pick<Replica, 'referrals' | 'donations'> {
    const replica = this.#replicas[index]
    if (replica === undefined) throw new Error(`there is no replica ${index}`)
    return replica
  }

  /** Kills a replica and starts it again. */
  async killReplica(index: number): Promise<void> {
    const replica = this.#replicas[index]
    if (replica === undefined) throw new Error(`there is no replica ${index}`)
    await replica.process.end('SIGKILL')
    replica.process = await startReplica(replica.env)
  }

  /** Stops PostgreSQL without a checkpoint, as a crash would, and starts it on what it had flushed. */
  async crashPostgres(): Promise<void> {
    process.kill(this.#postgres.pid, 'SIGQUIT')
    await this.#postgres.exited
    this.#postgres = await startEmbeddedPostgres({ dataDir: this.#dataDir, port: this.#port })
  }

  /** A connection of the test's own; dispose it before PostgreSQL is stopped. */
  async database(): Promise<Database> {
    return openDatabase({ url: this.#postgres.url, schema, migrationsDir, logger: createLogger('rig', 'silent') })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#replicas.map(({ process }) => process.end('SIGKILL')))
    await this.#postgres[Symbol.asyncDispose]()
    await this.#stack.disposeAsync()
  }
}

async function startReplica(env: NodeJS.ProcessEnv): Promise<NodeProcess<true>> {
  const readyLine = (line: string) => (/^stampede: ledger .* ready$/.test(line) ? true : undefined)
  return await startNode({ script, args: ['ledger'], env, readyLine })
}
