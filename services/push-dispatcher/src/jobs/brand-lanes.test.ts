import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import {
  buckets,
  connectNats,
  createLogger,
  ensureStreams,
  listDeadLetters,
  type Nats,
  replayDeadLetters,
  streams,
  subjects,
} from '@stampede/platform'
import { type TestNats, testNats, until } from '@stampede/platform/testing'
import { PushChunk } from '@stampede/proto/push/v1'
import { ANSWERS_MIN } from '../domain/token-breaker.ts'
import { testChunk, testTokens } from '../testing/chunks.ts'
import { PipeTransport } from '../testing/pipe-transport.ts'
import { type Replica, startReplica } from '../testing/replica.ts'
import { testSharingTimings } from '../testing/sharing-timings.ts'

describe('lanes of brands', () => {
  let server: TestNats
  let nats: Nats
  let replicas: Replica[] = []
  /** Replicas of the test so far: names that are always the same share the brands always alike. */
  let started = 0

  before(async () => {
    server = await testNats()
    nats = await connectNats({ url: server.url, name: 'test', logger: createLogger('test', 'silent') })
    await ensureStreams(nats)
  })
  after(async () => {
    await nats?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    started = 0
    for (const bucket of [buckets.brands, buckets.dispatchers]) {
      const kv = await nats.kv(bucket)
      for await (const key of await kv.keys()) await kv.purge(key)
    }
    for (const stream of [streams.PUSH_TX, streams.PUSH_BULK]) await nats.manager.streams.purge(stream)
  })
  afterEach(async () => {
    await Promise.all(replicas.map((replica) => replica[Symbol.asyncDispose]()))
    replicas = []
  })

  async function start(transport = new PipeTransport()): Promise<Replica> {
    const replica = await startReplica(server.url, `replica-${started++}`, transport)
    replicas.push(replica)
    return replica
  }

  async function putBrand(
    brand: string,
    change: { readonly weight?: number; readonly maxBulkPerSecond?: number } = {},
  ) {
    const kv = await nats.kv(buckets.brands)
    await kv.put(brand, JSON.stringify({ brand, passTypeId: `pass.test.${brand}`, weight: 10, ...change }))
  }

  async function enqueue(brand: string, lane: 'tx' | 'bulk', count: number): Promise<void> {
    const chunk = testChunk(count, { brand, topic: `pass.test.${brand}`, pushTokens: testTokens(count) })
    const subject = lane === 'tx' ? subjects.pushTx(brand) : subjects.pushBulk(brand)
    await nats.jetstream.publish(subject, PushChunk.encode(chunk).finish())
  }

  const served = (lane: 'tx' | 'bulk') => Promise.all(replicas.map((replica) => replica.lanes(lane)))
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)

  test('replicas share them: two serve each tx lane, as many as its weight each bulk lane', async () => {
    for (let index = 0; index < 12; index++) await putBrand(`brand-${index}`, { weight: 1 })
    await start()
    await until('one serves all', async () => sum(await served('tx')) + sum(await served('bulk')) === 24)
    await start()
    await start()
    await until('each lane has its replicas', async () => {
      const [tx, bulk] = [await served('tx'), await served('bulk')]
      return sum(tx) === 24 && sum(bulk) === 12 && [...tx, ...bulk].every((count) => count > 0)
    })
    assert.equal(replicas[0]?.presence.replicas().length, 3)
  })

  test('what a leaving replica served is taken over at once', async () => {
    for (let index = 0; index < 6; index++) await putBrand(`brand-${index}`, { weight: 1 })
    const leaving = await start()
    await start()
    await until('both have bulk lanes', async () => (await served('bulk')).every((count) => count > 0))
    const startMs = performance.now()
    await leaving[Symbol.asyncDispose]()
    replicas.shift()
    await until('the other serves all', async () => sum(await served('bulk')) === 6)
    const tookMs = performance.now() - startMs
    assert.ok(tookMs < 3_000, `${tookMs} ms`)
  })

  test('what a replica served that fell silent is taken over after the TTL', async () => {
    const transport = new PipeTransport()
    for (let index = 0; index < 6; index++) await putBrand(`brand-${index}`, { weight: 1 })
    const [silent, other] = [await start(transport), await start(transport)]
    await until('both have bulk lanes', async () => (await served('bulk')).every((count) => count > 0))
    await silent.cut()
    const startMs = performance.now()
    await until('the other serves all', async () => (await other.lanes('bulk')) === 6)
    const tookMs = performance.now() - startMs
    assert.ok(tookMs < testSharingTimings.ttlMs + 2_000, `${tookMs} ms`)
    for (let index = 0; index < 6; index++) await enqueue(`brand-${index}`, 'bulk', 10)
    await until('all is pushed', () => sum([...transport.answered.values()]) === 60)
  })

  test('a chunk that cannot be finished in time is given back at the end, and done by another', async () => {
    const slow = new PipeTransport()
    await putBrand('slow', { maxBulkPerSecond: 100 })
    const ending = await start(slow)
    await enqueue('slow', 'bulk', 1_000)
    await until('it is under way', () => slow.count('bulk/slow') > 0)
    const startMs = performance.now()
    await ending[Symbol.asyncDispose]()
    const tookMs = performance.now() - startMs
    assert.ok(tookMs >= testSharingTimings.drainMs && tookMs < testSharingTimings.drainMs + 2_000, `${tookMs} ms`)
    const sent = slow.count('bulk/slow')
    assert.ok(sent < 1_000, `${sent}`)
    await putBrand('slow')
    const other = new PipeTransport()
    await start(other)
    await until('it is done', () => other.count('bulk/slow') === 1_000)
    assert.equal(slow.count('bulk/slow'), sent, 'the one that ended sends nothing more')
  })

  test('a brand that comes is served, one that goes is not', async () => {
    await start()
    await putBrand('late')
    await until('it is served', async () => sum(await served('tx')) === 1)
    const kv = await nats.kv(buckets.brands)
    await kv.delete('late')
    await until('it is not', async () => sum(await served('tx')) === 0)
  })

  test('many lanes begin a few at a time, those of urgent pushes first', async () => {
    for (let index = 0; index < 60; index++) await putBrand(`brand-${index}`)
    const startMs = performance.now()
    const replica = await start()
    assert.ok((await replica.lanes('tx')) <= 20)
    await until('the tx lanes are served', async () => (await replica.lanes('tx')) === 60)
    assert.ok((await replica.lanes('bulk')) <= 20, 'urgent pushes waited for campaigns')
    await until('all are served', async () => (await replica.lanes('bulk')) === 60)
    const tookMs = performance.now() - startMs
    assert.ok(tookMs >= 990, `120 lanes within ${tookMs} ms, that is over 100 per second`)
  })

  test('brands share a saturated transport by weight, whatever the sizes of their chunks', async () => {
    const transport = new PipeTransport(80_000)
    await putBrand('a', { weight: 10 })
    await putBrand('b', { weight: 30 })
    for (let turn = 0; turn < 40; turn++) {
      for (const size of [1_300, 200]) await enqueue('a', 'bulk', size)
      for (const size of [700, 1_500, 100, 400]) await enqueue('b', 'bulk', size)
    }
    await start(transport)
    await until('most of it is sent', () => transport.count('bulk/a') + transport.count('bulk/b') >= 100_000)
    const [a, b] = [transport.count('bulk/a'), transport.count('bulk/b')]
    assert.ok(Math.abs(b / (a + b) - 0.75) < 0.075, `a ${a}, b ${b}`)
  })

  test("a brand's ceiling holds for all replicas together", async () => {
    const transport = new PipeTransport()
    await putBrand('slow', { maxBulkPerSecond: 2_000 })
    await start(transport)
    await start(transport)
    await until('both serve it', async () => sum(await served('bulk')) === 2)
    for (let index = 0; index < 20; index++) await enqueue('slow', 'bulk', 1_000)
    await until('it sends', () => transport.count('bulk/slow') > 0)
    const startMs = performance.now()
    const before = transport.count('bulk/slow')
    await until('some time passed', () => performance.now() - startMs > 1_500)
    const seconds = (performance.now() - startMs) / 1_000
    const perSecond = (transport.count('bulk/slow') - before) / seconds
    assert.ok(perSecond > 1_400 && perSecond < 2_200, `${perSecond} per second`)
  })

  test('a chunk that was given up is pushed when it is replayed after the brand was mended', async () => {
    const transport = new PipeTransport()
    const kv = await nats.kv(buckets.brands)
    await kv.put('odd', JSON.stringify({ brand: 'odd', passTypeId: 'pass.test.typo' }))
    await start(transport)
    await enqueue('odd', 'bulk', 10)
    const dead = () => Array.fromAsync(listDeadLetters(nats, { subject: subjects.pushBulk('odd') }))
    await until('it is dead', async () => (await dead()).length === 1)
    assert.equal(transport.count('bulk/odd'), 0)
    await putBrand('odd')
    // One that comes before the mended brand is known here dies once more.
    await until('it is pushed', async () => {
      await Array.fromAsync(replayDeadLetters(nats, { subject: 'push.bulk.*', max: 10 }))
      return transport.count('bulk/odd') === 10
    })
    assert.deepEqual(await dead(), [])
  })

  test('a list of bad tokens blocks the bulk lane of its brand after some answers, and nothing else', async () => {
    const transport = new PipeTransport()
    await putBrand('bad')
    await putBrand('good')
    transport.answers.set('bad', { status: 400, reason: 'BadDeviceToken' })
    const replica = await start(transport)
    for (let index = 0; index < 40; index++) await enqueue('bad', 'bulk', 1_000)
    const blocked = async () => (await replica.metrics.openBreakers.get()).values[0]?.value === 1
    await until('the breaker opens', blocked)
    await enqueue('bad', 'tx', 1)
    await enqueue('good', 'bulk', 1_000)
    await until('others go on', () => transport.count('tx/bad') === 1 && transport.count('bulk/good') === 1_000)
    const sent = transport.count('bulk/bad')
    assert.ok(sent >= ANSWERS_MIN && sent <= 10_000, `${sent} of 40,000 were sent`)
    const { values } = await replica.metrics.badTokens.get()
    assert.equal(values.find(({ labels }) => labels.lane === 'bulk')?.value, sent)
    const { num_pending: pending } = await nats.manager.consumers.info(streams.PUSH_BULK, 'dispatcher-bulk-bad')
    assert.ok(pending > 0, 'its chunks wait on the queue')
  })
})
