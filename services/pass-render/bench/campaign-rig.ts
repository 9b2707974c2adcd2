import { join } from 'node:path'
import {
  type BrandInfo,
  bitmapBytes,
  connectNats,
  createLogger,
  createMetrics,
  type Database,
  ensureStreams,
  freePort,
  makeEvent,
  type Nats,
  openDatabase,
  passesPerRow,
  startConsumer,
  startEmbeddedPostgres,
  subjects,
  systemClock,
  uuidv7,
} from '@stampede/platform'
import { tempDir, testNats, until } from '@stampede/platform/testing'
import type { AudienceChunk } from '@stampede/proto/events/v1'
import { cutParts } from '../src/domain/push-parts.ts'
import { campaignParts } from '../src/events.ts'
import {
  bumpPasses,
  type ChunkContext,
  HAND_OUT_WIDTH,
  handleChunks,
  handOut,
  type Released,
} from '../src/jobs/chunks.ts'
import { MAX_CHUNK_BATCH } from '../src/jobs/index.ts'
import { createMeters } from '../src/metrics.ts'
import { recipientColumns } from '../src/store/recipient-columns.ts'
import { testBrand } from '../src/testing/fixture.ts'
import { fillBrand } from './campaign-data.ts'

const brand: BrandInfo = testBrand('campaign')
const POOL_SIZE = 16
const EXPIRES_MS = 5_000
const WAIT_MS = 120_000

/** What campaigns to all cards of the brand took. */
export interface CampaignRun {
  /** Rows for the passes, consent and status applied, in transactions of the service's size. */
  readonly bumpSeconds: number
  /** Tokens in columns, without anything done with them. */
  readonly readSeconds: number
  /** Parts cut and written as push chunks, on one thread. */
  readonly encodeSeconds: number
  /** Tokens read, cut, encoded and acknowledged by JetStream. */
  readonly handOutSeconds: number
  /** A whole campaign by the service's own consumer, from the release of all chunks to the last acknowledgement. */
  readonly wholeSeconds: number
  readonly phones: number
  readonly megabytes: number
}

/** A durable PostgreSQL and a nats-server of their own; the service's job runs in this process. */
export class CampaignRig implements AsyncDisposable {
  readonly #context: ChunkContext
  readonly #database: Database
  readonly #nats: Nats
  readonly #rows: number
  readonly #owned: AsyncDisposableStack
  #campaigns = 0n

  private constructor(
    context: ChunkContext,
    parts: { readonly database: Database; readonly nats: Nats; readonly rows: number },
    owned: AsyncDisposableStack,
  ) {
    this.#context = context
    this.#database = parts.database
    this.#nats = parts.nats
    this.#rows = parts.rows
    this.#owned = owned
  }

  /** Starts both and fills a brand with rows of 8,192 passes. */
  static async start(rows: number, progress: (line: string) => void): Promise<CampaignRig> {
    await using stack = new AsyncDisposableStack()
    const dir = stack.use(tempDir('campaign-bench'))
    const dataDir = join(dir.path, 'postgres')
    const postgres = stack.use(await startEmbeddedPostgres({ dataDir, port: await freePort() }))
    const server = stack.use(await testNats())
    const logger = createLogger('bench', 'warn')
    const nats = stack.use(await connectNats({ url: server.url, name: 'bench', logger }))
    await ensureStreams(nats)
    const migrationsDir = new URL('../src/store/migrations/', import.meta.url)
    const schema = { schema: 'pass_render', migrationsDir, logger, poolSize: POOL_SIZE }
    const database = stack.use(await openDatabase({ url: postgres.url, ...schema }))
    progress(`filling ${rows} rows of ${passesPerRow} passes`)
    await fillBrand(database, { brand: brand.brand, rows })
    const meters = createMeters(createMetrics('bench'))
    const designs = { get: async () => undefined }
    const brands = { get: () => brand }
    const context = { database, nats, clock: systemClock, meters, logger, brands, designs }
    return new CampaignRig(context, { database, nats, rows }, stack.move())
  }

  /** Two campaigns: one step by step, one by the consumer. */
  async run(): Promise<CampaignRun> {
    const released: Released[] = []
    const bumpSeconds = await this.#timed(async () => {
      released.push(...(await this.#bump()))
    })
    const { readSeconds, encodeSeconds, phones } = await this.#readAndEncode(released)
    const handOutSeconds = await this.#timed(() => inParallel(released, (item) => handOut(this.#context, brand, item)))
    const { messages, bytes } = (await this.#nats.manager.streams.info('PUSH_BULK')).state
    await this.#purge('PUSH_BULK')
    const wholeSeconds = await this.#whole(messages)
    await this.#purge('PUSH_BULK', 'EVENTS', 'PUSH_GOOGLE')
    return { bumpSeconds, readSeconds, encodeSeconds, handOutSeconds, wholeSeconds, phones, megabytes: bytes / 1e6 }
  }

  async #bump(): Promise<readonly Released[]> {
    const chunks = this.#chunks()
    const released: Released[] = []
    for (let at = 0; at < chunks.length; at += MAX_CHUNK_BATCH) {
      const batch = chunks.slice(at, at + MAX_CHUNK_BATCH)
      released.push(...(await this.#database.transaction((tx) => bumpPasses(this.#context, tx, brand, batch))))
    }
    return released
  }

  async #readAndEncode(
    released: readonly Released[],
  ): Promise<Pick<CampaignRun, 'readSeconds' | 'encodeSeconds' | 'phones'>> {
    let [encodeMs, phones] = [0, 0]
    const seconds = await this.#timed(() =>
      inParallel(released, async ({ bump: { messageId, index, base, bitmap } }) => {
        const columns = await recipientColumns(this.#database, brand.brand, base, bitmap)
        const startedAt = performance.now()
        const { parts } = cutParts(columns)
        campaignParts(brand, { campaignId: messageId, index, base }, columns, parts, new Date())
        encodeMs += performance.now() - startedAt
        phones += parts.reduce((sum, part) => sum + part.length, 0)
      }),
    )
    return { readSeconds: seconds - encodeMs / 1_000, encodeSeconds: encodeMs / 1_000, phones }
  }

  /** Releases all chunks at once and lets the service's own consumer work on them; `parts` must come of it. */
  async #whole(parts: number): Promise<number> {
    for (const value of this.#chunks()) {
      const now = new Date()
      const aggregateId = `${value.campaignId}/${value.index}`
      const head = { brand: brand.brand, aggregateKind: 'chunk', aggregateId, aggregateVersion: 1n } as const
      const event = makeEvent({ ...head, eventTime: now, schema: 'bench', payload: { $case: 'chunk', value } }, now)
      await this.#nats.jetstream.publish(event.subject, event.payload, { msgID: event.id })
    }
    const seconds = await this.#timed(() => this.#consume())
    const { messages } = (await this.#nats.manager.streams.info('PUSH_BULK')).state
    if (messages !== parts) throw new Error(`${messages} parts instead of ${parts}`)
    return seconds
  }

  async #consume(): Promise<void> {
    const durable = `bench-${uuidv7()}`
    await using _consumer = await startConsumer({
      nats: this.#nats,
      stream: 'EVENTS',
      durable,
      filterSubjects: [subjects.chunk(brand.brand)],
      batchMax: MAX_CHUNK_BATCH,
      expiresMs: EXPIRES_MS,
      logger: createLogger('bench', 'warn'),
      metrics: createMetrics(durable),
      handle: (batch) => handleChunks(this.#context, batch),
    })
    const isDone = async (): Promise<boolean> => {
      const { num_pending, num_ack_pending } = await this.#nats.manager.consumers.info('EVENTS', durable)
      return num_pending === 0 && num_ack_pending === 0
    }
    await until('all chunks are handled', isDone, WAIT_MS)
  }

  /** A campaign to all passes. */
  #chunks(): readonly AudienceChunk[] {
    this.#campaigns += 1n
    const shared = {
      campaignId: uuidv7(),
      campaignSeq: this.#campaigns,
      bitmap: Buffer.alloc(bitmapBytes, 0xff),
      coversEverybody: true,
      message: { texts: [{ locale: 'en', text: 'Hello {name}. Twice the points until Sunday!' }] },
    }
    return Array.from({ length: this.#rows }, (_, index) => ({ ...shared, index, base: BigInt(index * passesPerRow) }))
  }

  async #timed(work: () => Promise<void>): Promise<number> {
    const startedAt = performance.now()
    await work()
    return (performance.now() - startedAt) / 1_000
  }

  async #purge(...streams: readonly string[]): Promise<void> {
    for (const stream of streams) await this.#nats.manager.streams.purge(stream)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync()
  }
}

/** As many at once as the service works on. */
async function inParallel(released: readonly Released[], work: (item: Released) => Promise<void>): Promise<void> {
  const next = released.values()
  const worker = async (): Promise<void> => {
    for (const item of next) await work(item)
  }
  await Promise.all(Array.from({ length: HAND_OUT_WIDTH }, worker))
}
