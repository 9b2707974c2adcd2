import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Delivery, startConsumer } from './consumer.ts'
import { unavailable } from './errors.ts'
import { connectNats, type Nats } from './nats.ts'
import { ensureStreams } from './streams.ts'
import { subjects } from './subjects.ts'
import { type TestNats, testNats, testParts, until } from './testing/index.ts'

const { logger, metrics } = testParts('consumer')
const textOf = (delivery: Delivery): string => Buffer.from(delivery.data).toString()

describe('a consumer', () => {
  let server: TestNats
  let nats: Nats

  before(async () => {
    server = await testNats()
    nats = await connectNats({ url: server.url, name: 'test', logger })
    await ensureStreams(nats)
  })
  after(async () => {
    await nats[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  async function publish(subject: string, count: number, from = 0): Promise<void> {
    await Promise.all(
      Array.from({ length: count }, (_, index) => nats.jetstream.publish(subject, String(from + index))),
    )
  }

  function start(durable: string, subject: string, handle: (batch: readonly Delivery[]) => Promise<void>, more = {}) {
    const filterSubjects = [subject]
    const common = { nats, durable, filterSubjects, batchMax: 100, expiresMs: 1_000, logger, metrics }
    return startConsumer({ ...common, stream: 'EVENTS', handle, ...more })
  }

  async function pending(durable: string): Promise<number> {
    const info = await nats.manager.consumers.info('EVENTS', durable)
    return info.num_pending + info.num_ack_pending
  }

  test('hands over what is there in batches and acknowledges it', async () => {
    const subject = subjects.account('batches')
    await publish(subject, 500)
    const seen: string[] = []
    const sizes: number[] = []
    await using _consumer = await start('batches', subject, async (batch) => {
      sizes.push(batch.length)
      seen.push(...batch.map(textOf))
    })
    await until('all are acknowledged', async () => (await pending('batches')) === 0)
    assert.equal(new Set(seen).size, 500)
    assert.equal(seen.length, 500)
    assert.ok(Math.max(...sizes) > 1 && Math.max(...sizes) <= 100, `batches of ${sizes}`)
  })

  test('says how many messages wait, while its handler hangs too', async () => {
    const subject = subjects.account('lag')
    await publish(subject, 7)
    const lag = async () => {
      const text = await metrics.registry.metrics()
      return Number(/^stampede_consumer_consumer_lag_messages\{consumer="lag"\} (\d+)$/m.exec(text)?.[1])
    }
    const release = Promise.withResolvers<void>()
    await using _consumer = await start('lag', subject, () => release.promise)
    await until('the lag is known', async () => (await lag()) === 7)
    await publish(subject, 2)
    await until('it grows', async () => (await lag()) === 9)
    release.resolve()
    await until('it is gone', async () => (await lag()) === 0)
  })

  test('delivers a single message at once, whatever the length of a request', async () => {
    const subject = subjects.account('prompt')
    const arrived = Promise.withResolvers<number>()
    await using _consumer = await start('prompt', subject, async () => arrived.resolve(performance.now()), {
      expiresMs: 30_000,
    })
    await publish(subject, 1)
    const publishedAt = performance.now()
    assert.ok((await arrived.promise) - publishedAt < 1_000)
  })

  test('gives up only the message that is to blame, with the reason, and handles its neighbours', async () => {
    const subject = subjects.receipt('poison')
    const handled = new Set<string>()
    await publish(subject, 50)
    const handle = async (batch: readonly Delivery[]): Promise<void> => {
      if (batch.some((delivery) => textOf(delivery) === '17')) throw new TypeError('seventeen is bad')
      for (const delivery of batch) handled.add(textOf(delivery))
    }
    await using _consumer = await start('poison', subject, handle, { maxDeliver: 2 })
    await until('all have an outcome', async () => (await pending('poison')) === 0)
    assert.equal(handled.size, 49)
    const dead = await nats.manager.streams.getMessage('DEAD', { last_by_subj: subjects.dead(subject) })
    assert.equal(dead?.string(), '17')
    assert.equal(dead?.header.get('Stampede-Reason'), 'TypeError: seventeen is bad')
    assert.equal(dead?.header.get('Stampede-Consumer'), 'poison')
    assert.equal(dead?.header.get('Stampede-Deliveries'), '2')
  })

  test('never gives up messages because something else was away', async () => {
    const subject = subjects.receipt('away')
    await publish(subject, 3)
    let calls = 0
    const handle = async (): Promise<void> => {
      calls++
      if (calls <= 2) throw unavailable('the database is away')
    }
    await using _consumer = await start('away', subject, handle, { maxDeliver: 1 })
    await until('all are acknowledged', async () => (await pending('away')) === 0)
    assert.equal(await nats.manager.streams.getMessage('DEAD', { last_by_subj: subjects.dead(subject) }), null)
    assert.ok(calls >= 3)
  })

  test('keeps a batch that takes longer than the ack wait, so that nobody else gets it', async () => {
    const subject = subjects.account('slow')
    await publish(subject, 1)
    let calls = 0
    const release = Promise.withResolvers<void>()
    const handle = async (): Promise<void> => {
      calls++
      await release.promise
    }
    await using _first = await start('slow', subject, handle, { ackWaitMs: 600 })
    await until('the work has begun', () => calls === 1)
    await using _second = await start('slow', subject, handle, { ackWaitMs: 600 })
    const since = performance.now()
    await until('three ack waits have passed', () => performance.now() - since > 1_800)
    assert.equal(calls, 1)
    release.resolve()
    await until('it is acknowledged', async () => (await pending('slow')) === 0)
  })

  test('goes on after the broker was killed and came back', async () => {
    const subject = subjects.account('restart')
    const seen = new Set<string>()
    await using _consumer = await start('restart', subject, async (batch) => {
      for (const delivery of batch) seen.add(textOf(delivery))
    })
    await publish(subject, 100)
    await until('the first half is handled', () => seen.size === 100)
    await server.stop(true)
    await server.start()
    await until('the connection is back', () => nats.isConnected())
    await publish(subject, 100, 100)
    await until('the second half is handled', () => seen.size === 200, 40_000)
  })

  test('waits for the batch in hand when it ends, and gives back what it had fetched ahead', async () => {
    const subject = subjects.account('stop')
    await publish(subject, 20)
    const begun = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    let finished = 0
    const consumer = await start(
      'stop',
      subject,
      async (batch) => {
        begun.resolve()
        await release.promise
        finished += batch.length
      },
      { batchMax: 5 },
    )
    await begun.promise
    const stopped = consumer[Symbol.asyncDispose]()
    release.resolve()
    await stopped
    assert.ok(finished >= 1 && finished <= 5)
    const rest: string[] = []
    await using _next = await start('stop', subject, async (batch) => {
      rest.push(...batch.map(textOf))
    })
    await until('the rest is handled', () => rest.length === 20 - finished, 5_000)
  })

  test('takes another filter over from a later release', async () => {
    const first = await start('filter', subjects.account('one'), async () => {})
    await first[Symbol.asyncDispose]()
    const seen: string[] = []
    await using _second = await start('filter', subjects.account('two'), async (batch) => {
      seen.push(...batch.map(textOf))
    })
    await publish(subjects.account('two'), 1, 7)
    await until('it is handled', () => seen.length === 1)
    assert.deepEqual(seen, ['7'])
  })
})
