import {
  bind,
  connectNats,
  createClient,
  createLogger,
  createMetrics,
  ensureStreams,
  hashApiKey,
  type Nats,
  type OutboxMessage,
  putCapacity,
  type RunningService,
  readPlatformConfig,
  type ServiceClient,
  StampedeError,
  startServer,
  subjects,
} from '@stampede/platform'
import { platformEnv, testKeys, testNats, testPostgres, until } from '@stampede/platform/testing'
import { AnalyticsServiceService } from '@stampede/proto/analytics/v1'
import { CampaignsServiceService, type Progress } from '@stampede/proto/campaigns/v1'
import { type AudienceChunk, Event } from '@stampede/proto/events/v1'
import type { AudienceRow } from '../context.ts'
import { service } from '../index.ts'

/** A client of the service. */
export type CampaignsClient = ServiceClient<typeof CampaignsServiceService>

const capacityEveryMs = 2_000

/** The whole service on real PostgreSQL and NATS, beside an analytics that answers what the test sets. */
export class ServiceFixture {
  readonly nats: Nats
  /** What analytics answers by brand; a brand that is not there is answered with an error. */
  readonly audiences = new Map<string, readonly AudienceRow[]>()
  /** Released chunks by brand, as published. */
  readonly #chunks = new Map<string, AudienceChunk[]>()
  readonly #stack = new AsyncDisposableStack()
  readonly #postgres: { readonly url: string }
  readonly #natsUrl: string
  readonly #keys = testKeys()
  #analyticsAddress = ''

  private constructor(postgres: { readonly url: string }, natsUrl: string, nats: Nats) {
    this.#postgres = postgres
    this.#natsUrl = natsUrl
    this.nats = nats
  }

  /** Starts the servers and analytics; the service itself is started by `replica`. */
  static async open(brands: readonly string[]): Promise<ServiceFixture> {
    await using stack = new AsyncDisposableStack()
    const server = stack.use(await testNats())
    const postgres = stack.use(await testPostgres())
    const logger = createLogger('test', 'silent')
    const nats = stack.use(await connectNats({ url: server.url, name: 'test', logger }))
    await ensureStreams(nats)
    const bucket = await nats.kv('brands')
    for (const brand of brands) await bucket.put(brand, JSON.stringify({ brand, name: brand }))
    const fixture = new ServiceFixture(postgres, server.url, nats)
    await fixture.#startAnalytics()
    await fixture.#keepCapacity()
    fixture.#collectChunks()
    const owned = stack.move()
    fixture.#stack.defer(() => owned.disposeAsync())
    return fixture
  }

  /** Address of the database. */
  get postgresUrl(): string {
    return this.#postgres.url
  }

  /** Starts one more replica of the service. */
  async replica(): Promise<RunningService> {
    return service.start(this.#env({ STAMPEDE_ANALYTICS_ADDRESS: this.#analyticsAddress }))
  }

  /** A client with the root key, or with another one. */
  client({ grpcPort }: RunningService, apiKey = this.#keys.rootKey): CampaignsClient {
    const address = `127.0.0.1:${grpcPort}`
    return createClient(CampaignsServiceService, { address, apiKey, platform: readPlatformConfig(this.#env({})) })
  }

  /** Makes an API key of a brand's marketer. */
  async marketerKey(brand: string): Promise<string> {
    const key = `sk_test_${brand}`
    const bucket = await this.nats.kv('access')
    await bucket.put(hashApiKey(key), JSON.stringify({ keyId: brand, role: 'marketer', brands: [brand] }))
    return key
  }

  /** Publishes as another service would. */
  async publish(...messages: readonly OutboxMessage[]): Promise<void> {
    for (const { subject, payload } of messages) await this.nats.jetstream.publish(subject, payload)
  }

  /** Waits until at least `count` chunks of a brand were released; gives all that were. */
  async chunks(brand: string, count: number): Promise<readonly AudienceChunk[]> {
    await until(`${count} chunks of ${brand}`, () => (this.#chunks.get(brand)?.length ?? 0) >= count)
    return this.#chunks.get(brand) ?? []
  }

  /** How many chunks of a brand the stream holds. */
  async released(brand: string): Promise<number> {
    const subject = subjects.chunk(brand)
    const info = await this.nats.manager.streams.info('EVENTS', { subjects_filter: subject })
    return info.state.subjects?.[subject] ?? 0
  }

  /** Waits until a campaign's control says so; undefined: nothing. */
  async control(brand: string, campaignId: string, status: string | undefined): Promise<void> {
    const bucket = await this.nats.kv('control')
    await until(`control of ${campaignId} is ${status}`, async () => {
      const entry = await bucket.get(`${brand}.${campaignId}`)
      const text = entry?.string() ?? ''
      return text === '' ? status === undefined : text === JSON.stringify({ status })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  #env(extra: Record<string, string>): NodeJS.ProcessEnv {
    return platformEnv({ postgres: this.#postgres, nats: { url: this.#natsUrl }, keys: this.#keys, extra })
  }

  async #startAnalytics(): Promise<void> {
    const unsupported = () => Promise.reject(new StampedeError('INTERNAL'))
    const platform = readPlatformConfig(this.#env({}))
    const keyHash = hashApiKey(this.#keys.serviceKey)
    const server = await startServer({
      name: 'analytics',
      bindings: [
        bind(AnalyticsServiceService, {
          takeSnapshot: unsupported,
          getSegments: unsupported,
          getMemberScore: unsupported,
          getKpis: unsupported,
          getDailySeries: unsupported,
          getPushReport: unsupported,
          getIngestState: unsupported,
          getAudience: ({ brand }) => this.#readAudience(brand),
        }),
      ],
      grpcPort: 0,
      httpPort: 0,
      platform,
      access: { find: (hash) => (hash === keyHash ? { keyId: 'c', role: 'service', brands: 'all' } : undefined) },
      logger: createLogger('analytics', 'silent'),
      metrics: createMetrics('analytics'),
      ready: () => true,
    })
    this.#stack.use(server)
    this.#analyticsAddress = `127.0.0.1:${server.grpcPort}`
  }

  async *#readAudience(brand: string) {
    const rows = this.audiences.get(brand)
    if (rows === undefined) throw new StampedeError('FAILED_PRECONDITION', 'no snapshot yet')
    for (const { base, bitmap } of rows) yield { base, bitmap: Buffer.from(bitmap), count: 0 }
  }

  async #keepCapacity(): Promise<void> {
    const put = () => putCapacity(this.nats, 'r1', { passesPerSecond: 10_000_000 })
    await put()
    const timer = setInterval(() => {
      put().catch(() => undefined)
    }, capacityEveryMs)
    this.#stack.defer(() => clearInterval(timer))
  }

  #collectChunks(): void {
    const subscription = this.nats.connection.subscribe(subjects.chunk('*'), {
      callback: (_, { data }) => {
        const { brand, payload } = Event.decode(data)
        if (payload?.$case !== 'chunk') return
        this.#chunks.set(brand, [...(this.#chunks.get(brand) ?? []), payload.value])
      },
    })
    this.#stack.defer(() => subscription.unsubscribe())
  }
}

/** Waits until a campaign's counters satisfy the condition; gives them. */
export async function untilProgress(
  client: CampaignsClient,
  brand: string,
  campaignId: string,
  what: string,
  holds: (progress: Progress, status: string) => boolean,
): Promise<Progress> {
  let last: Progress | undefined
  await until(what, async () => {
    const { campaign } = await client.getCampaign({ brand, campaignId })
    last = campaign?.progress
    return last !== undefined && holds(last, campaign?.status ?? '')
  })
  if (last === undefined) throw new Error('no progress')
  return last
}
