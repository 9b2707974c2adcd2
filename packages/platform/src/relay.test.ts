import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { type Database, openDatabase } from './database.ts'
import { connectNats, type Nats } from './nats.ts'
import { writeOutbox } from './outbox.ts'
import { startRelay } from './relay.ts'
import { publishRows } from './relay-publish.ts'
import { ensureStreams } from './streams.ts'
import { subjects } from './subjects.ts'
import {
  type TempDir,
  type TestNats,
  type TestPostgres,
  tempDir,
  testNats,
  testParts,
  testPostgres,
  until,
} from './testing/index.ts'

const { logger, metrics } = testParts('relay')

async function write(database: Database, prefix: string, count: number, from = 0): Promise<void> {
  const messages = Array.from({ length: count }, (_, index) => ({
    subject: subjects.account('acme'),
    id: `${prefix}-${from + index}`,
    payload: Buffer.from(`${from + index}`),
  }))
  await database.transaction((tx) => writeOutbox(tx, messages))
}

async function stored(nats: Nats): Promise<string[]> {
  const info = await nats.manager.streams.info('EVENTS')
  const texts: string[] = []
  for (let sequence = info.state.first_seq; sequence <= info.state.last_seq; sequence++) {
    const message = await nats.manager.streams.getMessage('EVENTS', { seq: sequence })
    if (message !== null) texts.push(message.string())
  }
  return texts
}

async function left(database: Database): Promise<bigint> {
  const [row] = await database.query<{ n: bigint }>('SELECT count(*) AS n FROM outbox')
  return row?.n ?? -1n
}

const isEmpty = async (database: Database): Promise<boolean> => (await left(database)) === 0n
const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index))

describe('the relay', () => {
  let dir: TempDir
  let postgres: TestPostgres
  let server: TestNats
  let nats: Nats
  let database: Database

  before(async () => {
    dir = tempDir('none')
    postgres = await testPostgres()
    server = await testNats()
    nats = await connectNats({ url: server.url, name: 'test', logger })
    await ensureStreams(nats)
    const migrationsDir = pathToFileURL(dir.path)
    database = await openDatabase({ url: postgres.url, schema: 'ledger', migrationsDir, logger })
  })
  beforeEach(async () => {
    await nats.manager.streams.purge('EVENTS')
  })
  after(async () => {
    await database[Symbol.asyncDispose]()
    await nats[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    await postgres[Symbol.asyncDispose]()
    dir[Symbol.dispose]()
  })

  test('says how old the oldest message is that waits, also while the broker is away', async () => {
    const own = testParts('relay')
    await write(database, 'old', 3)
    await database.query("UPDATE outbox SET written_at = now() - interval '90 seconds'")
    const seconds = async () => {
      const text = await own.metrics.registry.metrics()
      return Number(/^stampede_relay_outbox_oldest_seconds (\S+)$/m.exec(text)?.[1])
    }
    const away: Nats = { ...nats, isConnected: () => false }
    {
      await using _relay = startRelay({ database, nats: away, ...own })
      await until('the age is known', async () => (await seconds()) >= 90)
    }
    assert.equal(await seconds(), 0, 'who does not relay says nothing')
    await using _relay = startRelay({ database, nats, ...own })
    await until('the outbox is empty', () => isEmpty(database))
    await until('nothing waits', async () => (await seconds()) === 0)
  })

  test('publishes what was committed, in order, and nothing that was rolled back', async () => {
    await using relay = startRelay({ database, nats, logger, metrics })
    await write(database, 'order', 1_200)
    const rolledBack = database.transaction(async (tx) => {
      await writeOutbox(tx, [{ subject: subjects.account('acme'), id: 'never', payload: Buffer.from('never') }])
      throw new Error('changed my mind')
    })
    await assert.rejects(rolledBack, /changed my mind/)
    relay.wake()
    await until('the outbox is empty', () => isEmpty(database))
    assert.deepEqual(await stored(nats), numbers(1_200))
  })

  test('a wake-up publishes without waiting for the poll, from a replica that does not relay too', async () => {
    await using leader = startRelay({ database, nats, logger, metrics })
    await write(database, 'lead', 1)
    leader.wake()
    await until('the leader leads', () => isEmpty(database))
    await using follower = startRelay({ database, nats, logger, metrics })
    await write(database, 'follow', 1, 1)
    follower.wake()
    await until('the outbox is empty', () => isEmpty(database))
    assert.deepEqual(await stored(nats), numbers(2))
  })

  test('two relays publish every message once and in order, also when the leading one ends half-way', async () => {
    const relays = [1, 2].map(() => startRelay({ database, nats, logger, metrics }))
    for (let part = 0; part < 6; part++) {
      await write(database, 'pair', 700, part * 700)
      for (const relay of relays) relay.wake()
      if (part === 2) await relays.shift()?.[Symbol.asyncDispose]()
    }
    await until('the outbox is empty', () => isEmpty(database))
    assert.deepEqual(await stored(nats), numbers(4_200))
    await relays[0]?.[Symbol.asyncDispose]()
  })

  test('loses nothing and repeats nothing when nats-server is killed in the middle', async () => {
    await using relay = startRelay({ database, nats, logger, metrics })
    await write(database, 'kill', 4_000)
    relay.wake()
    await until('some are published', async () => (await left(database)) < 4_000n)
    await server.stop(true)
    await write(database, 'kill', 1_000, 4_000)
    await server.start()
    await until('the outbox is empty', () => isEmpty(database), 60_000)
    const texts = await stored(nats)
    assert.equal(texts.length, 5_000, 'each message is on the stream once')
    assert.equal(new Set(texts).size, 5_000, 'and none is missing')
  })

  test('goes on after its database connection was cut', async () => {
    await using relay = startRelay({ database, nats, logger, metrics })
    await write(database, 'before', 1)
    relay.wake()
    await until('the outbox is empty', () => isEmpty(database))
    await database.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'stampede-ledger-relay'",
    )
    await write(database, 'after', 1, 1)
    await until('the outbox is empty', () => isEmpty(database))
    assert.deepEqual(await stored(nats), numbers(2))
  })

  test('sets a message aside that the server can never take, and publishes the others', async () => {
    await database.query('INSERT INTO outbox (subject, message_id, payload) VALUES ($1, $2, $3)', [
      subjects.account('acme'),
      'huge',
      Buffer.alloc(9_000_000),
    ])
    await write(database, 'small', 1)
    await using relay = startRelay({ database, nats, logger, metrics })
    relay.wake()
    await until('the outbox is empty', () => isEmpty(database))
    assert.deepEqual(await stored(nats), ['0'])
    const rejected = await database.query('SELECT message_id, reason FROM outbox_rejected')
    assert.deepEqual(rejected, [{ message_id: 'huge', reason: "'payload' max_payload size exceeded" }])
  })

  test('of a subject where the last one wins only the newest of a batch goes out', async () => {
    const subject = subjects.google('3388', 'loyaltyObject', '3388.member-1')
    const row = (id: bigint) => ({ id, subject, message_id: `google-${id}`, payload: Buffer.from(String(id)) })
    const outcome = await publishRows(nats, [row(1n), row(2n), row(3n)])
    assert.deepEqual([...outcome.done].sort(), [1n, 2n, 3n])
    const message = await nats.manager.streams.getMessage('PUSH_GOOGLE', { last_by_subj: subject })
    assert.equal(message?.string(), '3')
    assert.equal((await nats.manager.streams.info('PUSH_GOOGLE')).state.messages, 1)
  })

  test('writes key-value entries that a reader of the bucket sees', async () => {
    await using _relay = startRelay({ database, nats, logger, metrics })
    const payload = Buffer.from('{"brand":"acme"}')
    await database.transaction((tx) => writeOutbox(tx, [{ subject: subjects.brandKey('acme'), id: 'kv-1', payload }]))
    await until('the outbox is empty', () => isEmpty(database))
    const kv = await nats.kv('brands')
    assert.deepEqual((await kv.get('acme'))?.json(), { brand: 'acme' })
  })
})
