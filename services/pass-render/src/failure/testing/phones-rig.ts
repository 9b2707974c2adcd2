import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
  type ServiceClient,
  subjects,
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
  until,
} from '@stampede/platform/testing'
import { PassesServiceService } from '@stampede/proto/passes/v1'
import { PushChunk } from '@stampede/proto/push/v1'
import { type PhoneRow, readRows, type Sandbox, startSandbox } from '@stampede/sandbox'
import { testBrand, testTemplate } from '../../testing/fixture.ts'

const script = new URL('../../../../../scripts/service.ts', import.meta.url)
const brand = testBrand('phones')
/** Phones at work at once: enough to keep two cores busy, few enough that nobody is turned away for long. */
const CONCURRENCY = 64
/** Chunks taken from the lane at once. */
const CHUNKS_PER_PULL = 20
const PULL_MS = 1_000
/** Part of the wake-ups that come twice: APNs and the dispatcher may both repeat. */
const REPEATED_SHARE = 0.1
const SETTLE_MS = 30 * 60_000
const PAGE = 1_000

/** What one phone did with its pass. */
export interface PhoneTally {
  /** Bundles that it took after the installation. */
  readonly fetches: number
  /** Visits that failed and were tried again. */
  readonly failures: number
}

/** A service process, phones of the sandbox, and the lane between them. */
export class PhonesRig implements AsyncDisposable {
  readonly sandbox: Sandbox
  readonly nats: Nats
  readonly database: Database
  readonly #env: NodeJS.ProcessEnv
  readonly #client: ServiceClient<typeof PassesServiceService>
  readonly #owned: AsyncDisposableStack
  readonly #random: () => number
  #process: NodeProcess<true>
  #stopped = false

  private constructor(
    parts: Pick<PhonesRig, 'sandbox' | 'nats' | 'database'> & {
      readonly env: NodeJS.ProcessEnv
      readonly client: ServiceClient<typeof PassesServiceService>
      readonly first: NodeProcess<true>
      readonly random: () => number
    },
    owned: AsyncDisposableStack,
  ) {
    this.sandbox = parts.sandbox
    this.nats = parts.nats
    this.database = parts.database
    this.#env = parts.env
    this.#client = parts.client
    this.#process = parts.first
    this.#random = parts.random
    this.#owned = owned
  }

  /** Brand of all phones. */
  get brand(): string {
    return brand.brand
  }

  /** Starts everything and publishes the brand's design. */
  static async start(random: () => number): Promise<PhonesRig> {
    await using stack = new AsyncDisposableStack()
    const dir = stack.use(tempDir('phones'))
    const postgres = stack.use(await testPostgres())
    const server = stack.use(await testNats())
    const faults = { phones: { concurrency: CONCURRENCY, retryBaseMs: 200 } }
    const sandbox = stack.use(await startSandbox({ dir: join(dir.path, 'sandbox'), faults }))
    const logger = createLogger('rig', 'silent')
    const nats = stack.use(await connectNats({ url: server.url, name: 'rig', logger }))
    await ensureStreams(nats)
    const bucket = await nats.kv('brands')
    await bucket.put(brand.brand, JSON.stringify(brand))
    const keys = testKeys()
    const grpcPort = await freePort()
    const extra = { ...credentials(dir, sandbox), ...(await ports(grpcPort)) }
    const env = platformEnv({ postgres, nats: server, keys, extra })
    const first = await spawnService(env)
    const settings = { address: `127.0.0.1:${grpcPort}`, apiKey: keys.rootKey, platform: readPlatformConfig(env) }
    const client = stack.use(createClient(PassesServiceService, settings))
    const schema = { schema: 'pass_render', migrationsDir: new URL('../../store/migrations/', import.meta.url) }
    const database = stack.use(await openDatabase({ url: postgres.url, ...schema, logger }))
    await client.putTemplate({ idempotencyKey: 'first', brand: brand.brand, template: testTemplate() })
    return new PhonesRig({ sandbox, nats, database, env, client, first, random }, stack.move())
  }

  /** Kills the service and starts it anew on its old ports. */
  async restart(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.#process.end(signal)
    this.#process = await spawnService(this.#env)
  }

  /** Waits until so many passes exist and installs each on a phone of its own; answers with their serials by member. */
  async installAll(count: number): Promise<ReadonlyMap<string, string>> {
    await until('every pass is there', async () => (await this.#count('pass')) === count, SETTLE_MS)
    const serials = new Map<string, string>()
    for (let pageToken = '', first = true; first || pageToken !== ''; first = false) {
      const page = await this.#client.listPasses({ brand: brand.brand, pageSize: PAGE, pageToken })
      const results = await inParallel(page.passes, CONCURRENCY, ({ appleUrl }) =>
        this.sandbox.fleet.install({ url: appleUrl }),
      )
      const trouble = results.find((reason) => reason !== undefined)
      if (trouble !== undefined) throw new Error(`a phone could not install its pass: ${trouble}`)
      for (const { memberId, serial } of page.passes) serials.set(memberId, serial)
      pageToken = page.nextPageToken
    }
    return serials
  }

  /** Plays the dispatcher until the rig is disposed: wakes the phones of each chunk, some of them twice. */
  async deliver(): Promise<void> {
    const durable = 'rig-dispatcher'
    await this.nats.manager.consumers.add('PUSH_TX', {
      durable_name: durable,
      ack_policy: 'explicit',
      filter_subject: subjects.pushTx(brand.brand),
    })
    const consumer = await this.nats.jetstream.consumers.get('PUSH_TX', durable)
    while (!this.#stopped) {
      const batch = await consumer.fetch({ max_messages: CHUNKS_PER_PULL, expires: PULL_MS })
      for await (const message of batch) {
        const { pushTokens, topic } = PushChunk.decode(message.data)
        for (const token of pushTokens) this.#wake(Buffer.from(token).toString('hex'), topic)
        message.ack()
      }
    }
  }

  #wake(token: string, topic: string): void {
    this.sandbox.fleet.deliver(token, topic)
    if (this.#random() < REPEATED_SHARE) this.sandbox.fleet.deliver(token, topic)
  }

  /** Resolves when no event, message, push or phone is on its way any more. */
  async settle(): Promise<void> {
    const idle = async () => {
      const accounts = await this.nats.manager.consumers.info('EVENTS', 'pass-render-accounts')
      const lane = await this.nats.manager.consumers.info('PUSH_TX', 'rig-dispatcher')
      const waiting = [accounts.num_pending, accounts.num_ack_pending, lane.num_pending, lane.num_ack_pending]
      const { working, retrying, waiting: queued } = this.sandbox.fleet.statistics()
      return [...waiting, working, retrying, queued, await this.#count('outbox')].every((count) => count === 0)
    }
    // Twice in a row: between two of these looks something may have been handed on.
    await until('everything has come to rest', async () => (await idle()) && (await idle()), SETTLE_MS)
  }

  /** What each phone did, by the serial of its pass. */
  async tally(): Promise<ReadonlyMap<string, PhoneTally>> {
    const serialOf = new Map<string, string>()
    const tallies = new Map<string, { fetches: number; failures: number }>()
    for await (const row of readRows<PhoneRow>(join(this.sandbox.dir, 'phones.ndjson'))) {
      if (row.event === 'install') {
        serialOf.set(row.phone, row.serial)
        tallies.set(row.serial, { fetches: 0, failures: 0 })
      }
      const tally = tallies.get(serialOf.get(row.phone) ?? '')
      if (tally === undefined) continue
      if (row.event === 'fetch' && row.status === 200) tally.fetches++
      if (row.event === 'fail') tally.failures++
    }
    return tallies
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    await this.#process.end('SIGTERM')
    await this.#owned.disposeAsync()
  }

  async #count(table: 'pass' | 'outbox'): Promise<number> {
    const rows = await this.database.query<{ count: bigint }>(`SELECT count(*) FROM ${table}`)
    return Number(rows[0]?.count ?? 0n)
  }
}

function credentials(dir: TempDir, { authority }: Sandbox): Record<string, string> {
  const folder = join(dir.path, 'credentials')
  const shard = join(folder, credentialShard(brand.brand))
  mkdirSync(shard, { recursive: true })
  const issued = authority.issuePassCertificate({ passTypeId: brand.passTypeId, teamId: brand.teamId })
  writeFileSync(join(shard, `${brand.brand}.apple.pem`), issued.leafPem + issued.wwdrPem + issued.keyPem)
  const { certPem, keyPem } = authority.issueServerCertificate(['localhost'])
  const files = { cert: join(dir.path, 'web.crt'), key: join(dir.path, 'web.key') }
  writeFileSync(files.cert, certPem)
  writeFileSync(files.key, keyPem)
  return {
    STAMPEDE_CREDENTIALS_DIR: folder,
    STAMPEDE_PASS_RENDER_WEB_CERT: files.cert,
    STAMPEDE_PASS_RENDER_WEB_KEY: files.key,
    STAMPEDE_PASS_RENDER_MASTER_KEY: randomBytes(32).toString('hex'),
  }
}

async function ports(grpcPort: number): Promise<Record<string, string>> {
  return {
    STAMPEDE_PASS_RENDER_GRPC_PORT: String(grpcPort),
    STAMPEDE_PASS_RENDER_HTTP_PORT: String(await freePort()),
    // Phones come back to the address that their pass names.
    STAMPEDE_PASS_RENDER_WEB_PORT: String(await freePort()),
  }
}

function spawnService(env: NodeJS.ProcessEnv): Promise<NodeProcess<true>> {
  const readyLine = (line: string) => (/^stampede: pass-render .* ready$/.test(line) ? true : undefined)
  return startNode({ script, args: ['pass-render'], env, readyLine })
}

async function inParallel<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const next = items.entries()
  const worker = async () => {
    for (const [index, item] of next) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}
