import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { headers } from '@nats-io/transport-node'
import { startConsumer } from './consumer.ts'
import {
  type DeadLetter,
  discardDeadLetters,
  listDeadLetters,
  meterDeadLetters,
  replayDeadLetters,
} from './dead-letters.ts'
import { connectNats, type Nats } from './nats.ts'
import { ensureStreams } from './streams.ts'
import { subjects } from './subjects.ts'
import { type TestNats, testNats, testParts, until } from './testing/index.ts'

const { logger, metrics } = testParts()

describe('dead letters', () => {
  let server: TestNats
  let nats: Nats

  before(async () => {
    server = await testNats()
    nats = await connectNats({ url: server.url, name: 'test', logger })
    await ensureStreams(nats)
  })
  after(async () => {
    await nats?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    for (const stream of ['DEAD', 'PUSH_BULK', 'EVENTS']) await nats.manager.streams.purge(stream)
  })

  async function bury(subject: string, payload: string): Promise<void> {
    const fields = headers()
    fields.set('Stampede-Reason', 'no good')
    fields.set('Stampede-Stream', 'PUSH_BULK')
    fields.set('Stampede-Consumer', 'tester')
    await nats.jetstream.publish(subjects.dead(subject), payload, { headers: fields })
  }

  async function list(subject?: string): Promise<readonly DeadLetter[]> {
    return Array.fromAsync(listDeadLetters(nats, subject === undefined ? {} : { subject }))
  }

  const textOf = ({ payload }: DeadLetter) => Buffer.from(payload).toString()

  test('are listed with subject, reason, consumer and time, by pattern', async () => {
    await bury('push.bulk.acme', 'one')
    await bury('push.tx.acme', 'two')
    await bury('push.bulk.zeta', 'three')
    const [first, ...rest] = await list()
    assert.equal(rest.length, 2)
    assert.equal(first?.subject, 'push.bulk.acme')
    assert.equal(first?.reason, 'no good')
    assert.equal(first?.stream, 'PUSH_BULK')
    assert.equal(first?.consumer, 'tester')
    assert.ok(Math.abs((first?.at.getTime() ?? 0) - Date.now()) < 60_000)
    assert.deepEqual((await list('push.bulk.*')).map(textOf), ['one', 'three'])
    assert.deepEqual((await list('push.tx.acme')).map(textOf), ['two'])
    assert.deepEqual(await list('ledger.>'), [])
  })

  test('are discarded by pattern, only as many as asked for', async () => {
    for (const text of ['one', 'two', 'three']) await bury('push.bulk.acme', text)
    await bury('push.tx.acme', 'other')
    const gone = await Array.fromAsync(discardDeadLetters(nats, { subject: 'push.bulk.*', max: 2 }))
    assert.deepEqual(gone.map(textOf), ['one', 'two'])
    assert.deepEqual((await list()).map(textOf), ['three', 'other'])
  })

  test('are counted for whoever watches', async () => {
    await bury('push.bulk.acme', 'one')
    const own = testParts('watch')
    using _meter = meterDeadLetters(nats, own.metrics, own.logger)
    await until('the gauge has it', async () =>
      (await own.metrics.registry.metrics()).includes('stampede_watch_dead_letters_count 1'),
    )
  })

  test('are replayed to their subject, once, and only as many as asked for', async () => {
    for (const payload of ['one', 'two', 'three']) await bury('push.bulk.acme', payload)
    const replays = await Array.fromAsync(replayDeadLetters(nats, { subject: 'push.bulk.*', max: 2 }))
    assert.deepEqual(
      replays.map(({ letter, ok }) => `${textOf(letter)} ${ok}`),
      ['one true', 'two true'],
    )
    assert.deepEqual((await list()).map(textOf), ['three'])
    const { state } = await nats.manager.streams.info('PUSH_BULK')
    assert.equal(state.messages, 2)
  })

  test('a replay that was broken off before the removal does not publish twice', async () => {
    await bury('push.bulk.acme', 'one')
    const [letter] = await list()
    assert.ok(letter)
    // What a replay does first; then it was killed.
    const msgID = `replay-${letter.sequence}-${letter.at.getTime()}`
    await nats.jetstream.publish(letter.subject, letter.payload, { msgID })
    assert.equal((await Array.fromAsync(replayDeadLetters(nats, { max: 10 }))).length, 1)
    const { state } = await nats.manager.streams.info('PUSH_BULK')
    assert.equal(state.messages, 1)
    assert.deepEqual(await list(), [])
  })

  test('two replays at the same time publish each letter once', async () => {
    for (let index = 0; index < 50; index++) await bury('push.bulk.acme', `${index}`)
    const both = await Promise.all([1, 2].map(() => Array.fromAsync(replayDeadLetters(nats, { max: 100 }))))
    assert.ok(both.flat().every(({ ok }) => ok))
    assert.equal((await nats.manager.streams.info('PUSH_BULK')).state.messages, 50)
    assert.deepEqual(await list(), [])
  })

  test('one whose subject belongs to no stream any more stays, with the reason, and the others go', async () => {
    await bury('gone.acme', 'one')
    await bury('push.bulk.acme', 'two')
    const replays = await Array.fromAsync(replayDeadLetters(nats, { max: 10 }))
    assert.deepEqual(
      replays.map(({ ok }) => ok),
      [false, true],
    )
    assert.deepEqual((await list()).map(textOf), ['one'])
  })

  test('what a consumer gave up is handled after it was mended', async () => {
    let broken = true
    const handled: string[] = []
    await using _consumer = await startConsumer({
      nats,
      stream: 'PUSH_BULK',
      durable: 'mended',
      filterSubjects: [subjects.pushBulk('*')],
      batchMax: 10,
      expiresMs: 1_000,
      maxDeliver: 1,
      logger,
      metrics,
      handle: async (batch) => {
        if (broken) throw new Error('not yet')
        for (const { data } of batch) handled.push(Buffer.from(data).toString())
      },
    })
    await nats.jetstream.publish(subjects.pushBulk('acme'), 'one')
    await until('it is dead', async () => (await list()).length === 1)
    assert.equal((await list())[0]?.reason, 'Error: not yet')
    broken = false
    await Array.fromAsync(replayDeadLetters(nats, { max: 10 }))
    await until('it is handled', () => handled.length === 1)
    assert.deepEqual(await list(), [])
  })
})
