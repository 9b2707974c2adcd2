import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type BrandInfo,
  bitmapBytes,
  connectNats,
  createLogger,
  type Database,
  ensureStreams,
  makeEvent,
  type Nats,
  openDatabase,
  passesPerRow,
  subjects,
} from '@stampede/platform'
import {
  type NodeProcess,
  platformEnv,
  startNode,
  tempDir,
  testKeys,
  testNats,
  testPostgres,
  testTls,
} from '@stampede/platform/testing'
import { PushChunk, PushResult } from '@stampede/proto/push/v1'
import { testBrand } from '../../testing/fixture.ts'

const script = new URL('../../../../../scripts/service.ts', import.meta.url)
const brand: BrandInfo = testBrand('campaign')
const MESSAGES_PER_PULL = 500
const PULL_MS = 1_000

/** What the service handed out of a campaign. */
export interface HandedOut {
  readonly chunks: readonly PushChunk[]
  /** Results without recipients: parts and rows without phones. */
  readonly empty: readonly string[]
}

/** A service process between a real PostgreSQL and a real nats-server; the test plays campaigns and dispatcher. */
export class CampaignRig implements AsyncDisposable {
  readonly database: Database
  readonly nats: Nats
  readonly #env: NodeJS.ProcessEnv
  readonly #owned: AsyncDisposableStack
  #process: NodeProcess<true> | undefined

  private constructor(database: Database, nats: Nats, env: NodeJS.ProcessEnv, owned: AsyncDisposableStack) {
    this.database = database
    this.nats = nats
    this.#env = env
    this.#owned = owned
  }

  /** Brand of all passes. */
  get brand(): string {
    return brand.brand
  }

  /** Starts everything but the service. */
  static async start(): Promise<CampaignRig> {
    await using stack = new AsyncDisposableStack()
    const dir = stack.use(tempDir('campaign'))
    const postgres = stack.use(await testPostgres())
    const server = stack.use(await testNats())
    const tls = stack.use(testTls())
    const logger = createLogger('rig', 'silent')
    const nats = stack.use(await connectNats({ url: server.url, name: 'rig', logger }))
    await ensureStreams(nats)
    const bucket = await nats.kv('brands')
    await bucket.put(brand.brand, JSON.stringify(brand))
    const schema = { schema: 'pass_render', migrationsDir: new URL('../../store/migrations/', import.meta.url) }
    const database = stack.use(await openDatabase({ url: postgres.url, ...schema, logger }))
    const credentials = join(dir.path, 'credentials')
    mkdirSync(credentials)
    const extra = {
      STAMPEDE_CREDENTIALS_DIR: credentials,
      STAMPEDE_PASS_RENDER_WEB_CERT: tls.certFile,
      STAMPEDE_PASS_RENDER_WEB_KEY: tls.keyFile,
      STAMPEDE_PASS_RENDER_MASTER_KEY: randomBytes(32).toString('hex'),
    }
    const env = platformEnv({ postgres, nats: server, keys: testKeys(), extra })
    return new CampaignRig(database, nats, env, stack.move())
  }

  /** Starts the service's process; one that is left is killed. */
  async run(): Promise<void> {
    await this.kill()
    const readyLine = (line: string) => (/^stampede: pass-render .* ready$/.test(line) ? true : undefined)
    this.#process = await startNode({ script, args: ['pass-render'], env: this.#env, readyLine })
  }

  /** Kills it. */
  async kill(): Promise<void> {
    await this.#process?.end('SIGKILL')
    // What its connections were about to do must not happen any more either: PostgreSQL notices late.
    await this.database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'`,
    )
  }

  /** Stores passes from a number on, each with a phone `<no>` of its own. */
  async addPasses(first: number, count: number): Promise<void> {
    await this.database.query(
      `WITH n AS (SELECT generate_series($2::bigint, $2::bigint + $3::bigint - 1) AS no),
       p AS (INSERT INTO pass (brand, owner_id, no, serial, auth_token, version, changed_at, created_at, member_version,
           status, marketing_consent, locale, card_number, event_version, devices)
         SELECT $1, gen_random_uuid(), no, gen_random_uuid(), '', 1, now(), now(), 1, 'active', true, 'en', no::text, 1, 1 FROM n)
       INSERT INTO registration (brand, no, device_library_id, registered_at, push_token)
         SELECT $1, no, no::text, now(), sha256(no::text::bytea) FROM n`,
      [brand.brand, first, count],
    )
  }

  /** Releases a campaign to all passes of the first rows. */
  async release(campaignId: string, campaignSeq: bigint, rows: number): Promise<void> {
    for (let index = 0; index < rows; index += 1) {
      const bitmap = Buffer.alloc(bitmapBytes, 0xff)
      const message = { texts: [{ locale: 'en', text: 'Twice the points' }] }
      const value = {
        campaignId,
        campaignSeq,
        index,
        base: BigInt(index * passesPerRow),
        bitmap,
        message,
        coversEverybody: true,
      }
      const now = new Date()
      const head = { brand: brand.brand, aggregateKind: 'chunk', aggregateId: `${campaignId}/${index}` } as const
      const rest = { aggregateVersion: 1n, eventTime: now, schema: 'test' }
      const event = makeEvent({ ...head, ...rest, payload: { $case: 'chunk', value } }, now)
      await this.nats.jetstream.publish(event.subject, event.payload, { msgID: event.id })
    }
  }

  /** How many parts are on the stream. */
  async parts(): Promise<number> {
    return (await this.nats.manager.streams.info('PUSH_BULK')).state.messages
  }

  /** Whether every released chunk was acknowledged. */
  async isDone(): Promise<boolean> {
    const { num_pending, num_ack_pending } = await this.nats.manager.consumers.info('EVENTS', 'pass-render-chunks')
    return num_pending === 0 && num_ack_pending === 0
  }

  /** Takes all parts off the stream. */
  async takeAll(): Promise<HandedOut> {
    const chunks = await this.#take('PUSH_BULK', subjects.pushBulk(brand.brand))
    const results = await this.#take('PUSH_RESULT', subjects.pushResult(brand.brand))
    await this.nats.manager.streams.purge('PUSH_RESULT')
    return {
      chunks: chunks.map((data) => PushChunk.decode(data)),
      empty: results.map((data) => PushResult.decode(data).chunkId),
    }
  }

  async #take(stream: string, subject: string): Promise<readonly Uint8Array[]> {
    const durable = 'rig-dispatcher'
    await this.nats.manager.consumers.add(stream, {
      durable_name: durable,
      ack_policy: 'explicit',
      filter_subject: subject,
    })
    const consumer = await this.nats.jetstream.consumers.get(stream, durable)
    const taken: Uint8Array[] = []
    for (;;) {
      const before = taken.length
      const batch = await consumer.fetch({ max_messages: MESSAGES_PER_PULL, expires: PULL_MS })
      for await (const message of batch) {
        taken.push(message.data)
        message.ack()
      }
      if (taken.length === before) break
    }
    await this.nats.manager.consumers.delete(stream, durable)
    return taken
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.end('SIGTERM')
    await this.#owned.disposeAsync()
  }
}
