import assert from 'node:assert/strict'
import {
  buckets,
  connectNats,
  createClient,
  createLogger,
  type Database,
  makeEvent,
  type Nats,
  type OutboxMessage,
  openDatabase,
  readPlatformConfig,
  type ServiceClient,
  subjects,
} from '@stampede/platform'
import { platformEnv, testKeys, testNats, testPostgres } from '@stampede/platform/testing'
import { Event, MemberState, ReceiptState } from '@stampede/proto/events/v1'
import { GeoServiceService, type Store } from '@stampede/proto/geo/v1'
import { service } from '../index.ts'

const WAIT_MS = 20_000
const PUBLISH_MAX = 1_000

/** A client of the service. */
export type GeoClient = ServiceClient<typeof GeoServiceService>

/** The service on real servers of its own, with the other services played by the test. */
export interface RunningGeo extends AsyncDisposable {
  readonly client: GeoClient
  readonly database: Database
  readonly nats: Nats
  /** Makes a brand known. */
  addBrand(brand: string): Promise<void>
  /** Puts events on the stream; `repeat` as new messages, as after the stream's own deduplication window. */
  publish(messages: readonly OutboxMessage[], repeat?: boolean): Promise<void>
  /** Waits until all events on the stream are handled. */
  settled(): Promise<void>
  /** All published places of a brand, oldest first. */
  published(brand: string): Promise<readonly Event[]>
}

/** Starts it all. */
export async function startGeo(): Promise<RunningGeo> {
  await using stack = new AsyncDisposableStack()
  const postgres = stack.use(await testPostgres())
  const natsServer = stack.use(await testNats())
  const keys = testKeys()
  const env = platformEnv({ postgres, nats: natsServer, keys })
  const running = stack.use(await service.start(env))
  const logger = createLogger('test', 'silent')
  const migrationsDir = new URL('../store/migrations/', import.meta.url)
  const database = stack.use(await openDatabase({ url: postgres.url, schema: 'geo', migrationsDir, logger }))
  const nats = stack.use(await connectNats({ url: natsServer.url, name: 'test', logger }))
  const address = `127.0.0.1:${running.grpcPort}`
  const platform = readPlatformConfig(env)
  const client = stack.use(createClient(GeoServiceService, { address, apiKey: keys.rootKey, platform }))
  const owned = stack.move()
  return {
    client,
    database,
    nats,
    addBrand: async (brand) => {
      await (await nats.kv(buckets.brands)).put(brand, JSON.stringify({ brand }))
    },
    publish: (messages, repeat = false) => publish(nats, messages, repeat),
    settled: () => settled(nats, database),
    published: (brand) => published(nats, brand),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function publish({ jetstream }: Nats, messages: readonly OutboxMessage[], repeat: boolean): Promise<void> {
  for (let at = 0; at < messages.length; at += PUBLISH_MAX) {
    const some = messages.slice(at, at + PUBLISH_MAX)
    await Promise.all(
      some.map(({ subject, id, payload }) => jetstream.publish(subject, payload, repeat ? {} : { msgID: id })),
    )
  }
}

async function settled({ manager }: Nats, database: Database): Promise<void> {
  const deadline = performance.now() + WAIT_MS
  for (;;) {
    const { num_pending, num_ack_pending } = await manager.consumers.info('EVENTS', 'geo-members')
    const left = await database.query<{ one: number }>('SELECT 1 AS one FROM outbox LIMIT 1')
    if (num_pending === 0 && num_ack_pending === 0 && left.length === 0) return
    assert.ok(
      performance.now() < deadline,
      `events are not handled: ${num_pending} pending, ${num_ack_pending} in hand`,
    )
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function published({ manager, jetstream }: Nats, brand: string): Promise<readonly Event[]> {
  const { state } = await manager.streams.info('EVENTS', { subjects_filter: subjects.relevance(brand) })
  const count = Object.values(state.subjects ?? {}).reduce((sum, one) => sum + one, 0)
  if (count === 0) return []
  const consumer = await jetstream.consumers.get('EVENTS', { filter_subjects: [subjects.relevance(brand)] })
  const events: Event[] = []
  for await (const message of await consumer.fetch({ max_messages: count, expires: WAIT_MS })) {
    events.push(Event.decode(message.data))
    if (events.length === count) break
  }
  return events
}

/** A store on a street that runs east: `at` kilometres (roughly) from its beginning. */
export function storeAt(storeId: string, at: number): Store {
  return {
    storeId,
    name: `Store ${storeId}`,
    latitude: 0,
    longitude: at / 111.195,
    address: '',
    relevantText: `Near ${storeId}`,
    beacons: [],
  }
}

/** The event of an enrolment. */
export function enrolled(
  brand: string,
  memberId: string,
  storeId: string,
  version = 1n,
  status = 'active',
): OutboxMessage {
  const value = MemberState.fromPartial({ memberId, storeId, status })
  const aggregate = { aggregateKind: 'member', aggregateId: memberId, aggregateVersion: version } as const
  const payload = { $case: 'member', value } as const
  return makeEvent({ brand, ...aggregate, eventTime: new Date(), schema: 'enrollment.member.v1', payload }, new Date())
}

/** The event of a sale, `hour` hours into 2026. */
export function bought(brand: string, memberId: string, storeId: string, hour: number, kind = 'sale'): OutboxMessage {
  const occurredAt = new Date(Date.UTC(2026, 0, 1, hour))
  const receiptId = crypto.randomUUID()
  const value = ReceiptState.fromPartial({ receiptId, kind, memberId, storeId, occurredAt })
  const aggregate = { aggregateKind: 'receipt', aggregateId: receiptId, aggregateVersion: 1n } as const
  const payload = { $case: 'receipt', value } as const
  return makeEvent({ brand, ...aggregate, eventTime: occurredAt, schema: 'ledger.receipt.v1', payload }, new Date())
}
