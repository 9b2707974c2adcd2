import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bind, type Certificates, CLIENT_CPU, SINK_CPU } from '@stampede/h2push/bench'
import { createTestAuthority } from '@stampede/pkpass/testing'
import {
  connectNats,
  createClient,
  createLogger,
  credentialShard,
  type Database,
  ensureStreams,
  freePort,
  type Nats,
  openDatabase,
  readPlatformConfig,
  watchCapacity,
} from '@stampede/platform'
import {
  type NodeProcess,
  platformEnv,
  startNode,
  type TempDir,
  tempDir,
  testKeys,
  testNats,
  testPostgres,
} from '@stampede/platform/testing'
import { PassesServiceService } from '@stampede/proto/passes/v1'
import type { Template } from '@stampede/proto/templates/v1'
import { createSecrets } from '../src/domain/secrets.ts'
import { testBrand } from '../src/testing/fixture.ts'
import { fillPasses } from './passes-data.ts'

const script = new URL('../../../scripts/service.ts', import.meta.url)
const migrationsDir = new URL('../src/store/migrations/', import.meta.url)

/** Brand of all passes. */
export const brand = { ...testBrand('bench'), googleIssuerId: '' }

/** What is around the service. */
export interface RigOptions {
  readonly certificates: Certificates
  readonly template: Template
  /** Passes, each registered by a phone of its own. */
  readonly passes: number
  /** Variables of the service's process beside those of the rig. */
  readonly env?: Readonly<Record<string, string>>
}

/** The service under test, alone on its core; PostgreSQL, nats-server, phones and this process share the other. */
export class Rig implements AsyncDisposable {
  readonly nats: Nats
  readonly database: Database
  readonly service: NodeProcess<number>
  readonly webPort: number
  /** One phone per line, as the load generator reads them. */
  readonly phonesFile: string
  readonly #owned: AsyncDisposableStack

  private constructor(
    parts: Pick<Rig, 'nats' | 'database' | 'service' | 'webPort' | 'phonesFile'>,
    owned: AsyncDisposableStack,
  ) {
    this.nats = parts.nats
    this.database = parts.database
    this.service = parts.service
    this.webPort = parts.webPort
    this.phonesFile = parts.phonesFile
    this.#owned = owned
  }

  /** Starts everything, publishes the design and fills the tables. */
  static async start({ certificates, template, passes, env: more = {} }: RigOptions): Promise<Rig> {
    // PostgreSQL and nats-server are started from here and inherit the core.
    bind(process.pid, SINK_CPU)
    await using stack = new AsyncDisposableStack()
    const dir = stack.use(tempDir('passes-bench'))
    const postgres = stack.use(await testPostgres())
    const server = stack.use(await testNats())
    const logger = createLogger('bench', 'silent')
    const nats = stack.use(await connectNats({ url: server.url, name: 'bench', logger }))
    await ensureStreams(nats)
    const bucket = await nats.kv('brands')
    await bucket.put(brand.brand, JSON.stringify(brand))
    const schema = { url: postgres.url, schema: 'pass_render', migrationsDir, logger }
    const database = stack.use(await openDatabase(schema))
    const masterKey = randomBytes(32)
    const phonesFile = join(dir.path, 'phones.tsv')
    await fillPasses(database, { brand, passes, secrets: createSecrets(masterKey), phonesFile })
    const keys = testKeys()
    const [grpcPort, webPort] = [await freePort(), await freePort()]
    const extra = {
      STAMPEDE_PASS_RENDER_GRPC_PORT: String(grpcPort),
      STAMPEDE_PASS_RENDER_WEB_PORT: String(webPort),
      STAMPEDE_PASS_RENDER_WEB_CERT: certificates.server.cert,
      STAMPEDE_PASS_RENDER_WEB_KEY: certificates.server.key,
      STAMPEDE_PASS_RENDER_MASTER_KEY: masterKey.toString('hex'),
      STAMPEDE_CREDENTIALS_DIR: await writeCredential(dir),
      STAMPEDE_LOG_LEVEL: 'error',
      // One core: more threads would only take turns on it.
      UV_THREADPOOL_SIZE: '1',
      ...more,
    }
    const env = platformEnv({ postgres, nats: server, keys, extra })
    const service = stack.use(await startService(env))
    const settings = { address: `127.0.0.1:${grpcPort}`, apiKey: keys.rootKey, platform: readPlatformConfig(env) }
    await using client = createClient(PassesServiceService, settings)
    await client.putTemplate({ idempotencyKey: 'bench', brand: brand.brand, template })
    return new Rig({ nats, database, service, webPort, phonesFile }, stack.move())
  }

  /** The answer capacity that the service published last. */
  async capacity(): Promise<number> {
    await using capacities = await watchCapacity(this.nats)
    return capacities.totalPerSecond()
  }

  /** Sum of a metric over the label values that the pattern matches. */
  async metric(name: string, labels = /./): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.service.ready}/metrics`)
    const lines = (await response.text())
      .split('\n')
      .filter((line) => line.startsWith(`stampede_pass_render_${name}`) && labels.test(line))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service.end('SIGTERM')
    await this.#owned.disposeAsync()
  }
}

async function writeCredential(dir: TempDir): Promise<string> {
  const folder = join(dir.path, 'credentials')
  const shard = join(folder, credentialShard(brand.brand))
  mkdirSync(shard, { recursive: true })
  const authority = await createTestAuthority(new Date())
  const issued = await authority.issue({ passTypeIdentifier: brand.passTypeId, teamIdentifier: brand.teamId })
  writeFileSync(join(shard, `${brand.brand}.apple.pem`), issued.certPem + issued.wwdrPem + issued.keyPem)
  return folder
}

async function startService(env: NodeJS.ProcessEnv): Promise<NodeProcess<number>> {
  const readyLine = (line: string) => {
    const port = /^stampede: pass-render \(gRPC \d+, HTTP (\d+)\) ready$/.exec(line)?.[1]
    return port === undefined ? undefined : Number(port)
  }
  // The service measures itself at its start: it inherits its core from us.
  bind(process.pid, CLIENT_CPU)
  const starting = startNode({ script, args: ['pass-render'], env, readyLine })
  bind(process.pid, SINK_CPU)
  return await starting
}
