import { type BrandInfo, type Database, type Metrics, openDatabase, uuidv7 } from '@stampede/platform'
import { type TestClock, testClock, testParts, testPostgres } from '@stampede/platform/testing'
import type { Campaign } from '@stampede/proto/campaigns/v1'
import type { AudienceRow, Context } from '../context.ts'
import { createCampaignsMetrics } from '../metrics.ts'
import { campaignsHandlers } from '../rpc/handlers.ts'
import { firstPasses } from './messages.ts'

/** The service's parts over a real PostgreSQL, with a clock and a capacity that the test sets; nothing runs by itself. */
export class StoreFixture {
  readonly clock: TestClock = testClock()
  readonly database: Database
  readonly context: Context
  readonly metrics: Metrics
  /** Passes per second that pass-render answers. */
  capacityPerSecond = 1_000_000
  /** What analytics answers. */
  audience: readonly AudienceRow[] = []
  readonly #stack: AsyncDisposableStack
  readonly #handlers

  private constructor(database: Database, stack: AsyncDisposableStack) {
    const { logger, metrics } = testParts('campaigns')
    this.database = database
    this.metrics = metrics
    this.#stack = stack
    const info: BrandInfo = {
      brand: '',
      name: 'Test',
      timeZone: 'UTC',
      currency: 'GBP',
      passTypeId: 'pass.test',
      teamId: 'ABCDE12345',
      googleIssuerId: '',
      weight: 10,
      maxBulkPerSecond: 0,
      contact: '',
      pushType: 'background',
      pushPriority: 5,
      pushExpirationSeconds: 86_400,
      domain: '',
    }
    this.context = {
      database,
      clock: this.clock,
      newId: uuidv7,
      brands: {
        get: (brand) => ({ ...info, brand }),
        list: () => [],
        onChange: () => undefined,
        [Symbol.asyncDispose]: async () => undefined,
      },
      capacity: { totalPerSecond: () => this.capacityPerSecond, [Symbol.asyncDispose]: async () => undefined },
      logger,
      metrics: createCampaignsMetrics(metrics),
      readAudience: () => this.#readAudience(),
      wakeRelay: () => undefined,
      wakeLeader: () => undefined,
    }
    this.#handlers = campaignsHandlers(this.context)
  }

  /** Opens an empty database. */
  static async open(): Promise<StoreFixture> {
    await using stack = new AsyncDisposableStack()
    const postgres = stack.use(await testPostgres())
    const { logger } = testParts()
    const migrationsDir = new URL('../store/migrations/', import.meta.url)
    const database = stack.use(await openDatabase({ url: postgres.url, schema: 'campaigns', migrationsDir, logger }))
    return new StoreFixture(database, stack.move())
  }

  /** Creates and starts a campaign to `chunks` rows of `passes` passes each; answers with its id. */
  async run(brand: string, chunks: number, passes: number, maxPerSecond = 0): Promise<string> {
    this.audience = Array.from({ length: chunks }, (_, index) => ({
      base: BigInt(index * 8_192),
      bitmap: firstPasses(passes),
    }))
    const texts = [{ locale: 'en', text: 'Hello' }]
    const { campaign } = await this.#handlers.createCampaign(
      { idempotencyKey: uuidv7(), brand, name: 'Test', segments: ['all'], texts, maxPerSecond },
      this.#call,
    )
    const campaignId = campaign?.campaignId ?? ''
    await this.#handlers.startCampaign({ idempotencyKey: uuidv7(), brand, campaignId }, this.#call)
    return campaignId
  }

  /** The campaign as its callers see it. */
  async campaign(brand: string, campaignId: string): Promise<Campaign> {
    const { campaign } = await this.#handlers.getCampaign({ brand, campaignId }, this.#call)
    if (campaign === undefined) throw new Error('an answer without a campaign')
    return campaign
  }

  /** Aborts it, so that it shares nothing with other tests. */
  async abort(brand: string, campaignId: string): Promise<void> {
    await this.#handlers.abortCampaign({ idempotencyKey: uuidv7(), brand, campaignId }, this.#call)
  }

  /** Pauses it. */
  async pause(brand: string, campaignId: string): Promise<void> {
    await this.#handlers.pauseCampaign({ idempotencyKey: uuidv7(), brand, campaignId }, this.#call)
  }

  /** Lets it go on. */
  async resume(brand: string, campaignId: string): Promise<void> {
    await this.#handlers.resumeCampaign({ idempotencyKey: uuidv7(), brand, campaignId }, this.#call)
  }

  /** Subjects in the outbox, in order; the fixture relays nothing. */
  async outbox(subject: string): Promise<readonly string[]> {
    const rows = await this.database.query<{ subject: string }>(
      'SELECT subject FROM outbox WHERE subject = $1 ORDER BY id',
      [subject],
    )
    return rows.map((row) => row.subject)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  readonly #call = {
    caller: { keyId: 'test', role: 'admin', brands: 'all' },
    signal: new AbortController().signal,
    deadline: new Date(8.64e15),
  } as const

  async *#readAudience(): AsyncGenerator<AudienceRow> {
    yield* this.audience
  }
}
