import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Nats, putControl, type RunningService, streams, subjects } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { PushOutcome, type PushResult } from '@stampede/proto/push/v1'
import { service } from './index.ts'
import { answer, type TestApns } from './testing/apns-server.ts'
import { testChunk, testTokens } from './testing/chunks.ts'
import { type Stage, startStage } from './testing/stage.ts'

const demo = { brand: 'demo', name: 'Demo', passTypeId: 'pass.com.example.demo', weight: 10, maxBulkPerSecond: 0 }

describe('push-dispatcher', () => {
  let stage: Stage
  let nats: Nats
  let apns: TestApns
  let results: ReadonlyMap<string, readonly PushResult[]>
  let running: RunningService
  const putBrand: Stage['putBrand'] = (brand) => stage.putBrand(brand)
  const enqueue: Stage['enqueue'] = (chunk, lane) => stage.enqueue(chunk, lane)
  const resultOf: Stage['resultOf'] = (chunk) => stage.resultOf(chunk)

  before(async () => {
    stage = await startStage()
    ;({ nats, apns, results } = stage)
    await putBrand(demo)
    running = await service.start(stage.env)
  })

  after(async () => {
    await running?.[Symbol.asyncDispose]()
    await stage?.[Symbol.asyncDispose]()
  })

  async function queued(stream: 'PUSH_TX' | 'PUSH_BULK'): Promise<number> {
    const { state } = await nats.manager.streams.info(stream)
    return state.messages
  }

  function accept(): void {
    apns.seen.length = 0
    apns.handler = (_push, _server, stream) => answer(stream, 200)
  }

  test('sends both lanes, reports each recipient and takes the chunks off the queues', async () => {
    accept()
    const tx = testChunk(1)
    const bulk = testChunk(1_000, { campaignId: 'c-1', chunkId: 'c-1/0/1of1' })
    await Promise.all([enqueue(tx, 'tx'), enqueue(bulk)])
    const [one, many] = await Promise.all([resultOf(tx), resultOf(bulk)])
    assert.equal(one.lane, 'tx')
    assert.deepEqual(one.outcomes, [PushOutcome.PUSH_OUTCOME_ACCEPTED])
    assert.equal(many.campaignId, 'c-1')
    assert.deepEqual(many.outcomes, new Array(1_000).fill(PushOutcome.PUSH_OUTCOME_ACCEPTED))
    assert.deepEqual(many.passNo, bulk.passNo)
    assert.deepEqual(many.deviceLibraryId, bulk.deviceLibraryId)
    assert.equal(new Set(apns.seen.map(({ token }) => token)).size, 1_000)
    await until('queues are empty', async () => (await queued('PUSH_TX')) + (await queued('PUSH_BULK')) === 0)
  })

  test('pushes a phone once per chunk, and reports each of its passes', async () => {
    accept()
    const [a, b] = testTokens(2, 500)
    assert.ok(a && b)
    const chunk = testChunk(3, { pushTokens: [a, b, Buffer.from(a)], deviceLibraryId: ['x', 'y', 'x'] })
    await enqueue(chunk)
    const result = await resultOf(chunk)
    assert.equal(result.outcomes.length, 3)
    assert.equal(apns.seen.length, 2)
  })

  test("sends a brand's pushes with its type, priority and expiration", async () => {
    accept()
    const lastHeaders = async () => {
      const chunk = testChunk(1, { expiresAfterSeconds: 0 })
      await enqueue(chunk, 'tx')
      await resultOf(chunk)
      return apns.seen.at(-1)?.headers ?? {}
    }
    assert.equal((await lastHeaders())['apns-push-type'], 'background')
    await putBrand({ ...demo, pushType: 'none', pushPriority: 10, pushExpirationSeconds: 600 })
    await until('the change arrives', async () => (await lastHeaders())['apns-priority'] === '10')
    const headers = await lastHeaders()
    assert.equal(headers['apns-push-type'], undefined)
    const lifeSeconds = Number(headers['apns-expiration']) - Date.now() / 1_000
    assert.ok(lifeSeconds > 590 && lifeSeconds <= 660, `${lifeSeconds} s`)
    await putBrand(demo)
  })

  test('accounts for every recipient under GOAWAY, resets, 410, 429 and 503', async () => {
    accept()
    const attempts = new Map<string, number>()
    let count = 0
    apns.handler = ({ token, connection }, server, stream) => {
      count += 1
      const attempt = (attempts.get(token) ?? 0) + 1
      attempts.set(token, attempt)
      const number = Number.parseInt(token.slice(0, 8), 16)
      if (count === 900) server.connections[connection - 1]?.goaway(0)
      if (count === 1_700) server.reset()
      else if (number % 10 === 0) answer(stream, 410, { reason: 'Unregistered', timestamp: 1_700_000_000_000 })
      else if (number % 10 === 1) answer(stream, 400, { reason: 'BadDeviceToken' })
      else if (number % 100 === 2 && attempt === 1) answer(stream, 429, { reason: 'TooManyRequests' })
      else if (number % 500 === 3 && attempt === 1) answer(stream, 503, { reason: 'Shutdown' })
      else answer(stream, 200)
    }
    const chunks = [
      testChunk(1_000),
      testChunk(1_000, { pushTokens: testTokens(1_000, 1_000) }),
      testChunk(500, { pushTokens: testTokens(500, 2_000) }),
    ]
    for (const chunk of chunks) await enqueue(chunk)
    const all = (await Promise.all(chunks.map(resultOf))).flatMap(({ outcomes }) => outcomes)
    const sum = (outcome: PushOutcome) => all.filter((one) => one === outcome).length
    assert.equal(all.length, 2_500)
    assert.equal(sum(PushOutcome.PUSH_OUTCOME_DEAD_TOKEN), 500)
    assert.equal(sum(PushOutcome.PUSH_OUTCOME_ACCEPTED), 2_000)
    assert.equal(attempts.size, 2_500, 'a recipient was never pushed')
    const [first] = results.get(chunks[0]?.chunkId ?? '') ?? []
    const dead = first?.outcomes.indexOf(PushOutcome.PUSH_OUTCOME_DEAD_TOKEN) ?? -1
    assert.equal(first?.deadSinceMs[dead], 1_700_000_000_000n)
    assert.ok((first?.retries ?? []).some((retries) => retries > 0))
  })

  test('stops opening pushes within a second of a pause, goes on after it, and aborts the rest', async () => {
    accept()
    await putBrand({ ...demo, maxBulkPerSecond: 500 })
    const chunk = testChunk(2_000, { campaignId: 'c-2', chunkId: 'c-2/0/1of1' })
    await putControl(nats, 'demo', 'c-2', { status: 'running' })
    await enqueue(chunk)
    await until('it sends', () => apns.seen.length > 50)
    await putControl(nats, 'demo', 'c-2', { status: 'paused' })
    const pausedAtMs = Date.now()
    await until('it falls silent', async () => {
      const before = apns.seen.length
      await new Promise((resolve) => setTimeout(resolve, 300))
      return apns.seen.length === before
    })
    assert.ok(Date.now() - pausedAtMs < 1_000 + 300, `${Date.now() - pausedAtMs} ms`)
    const silent = apns.seen.length
    assert.ok(silent < 2_000)

    // Others of the brand go on meanwhile.
    const other = testChunk(10, { pushTokens: testTokens(10, 90_000) })
    await enqueue(other)
    await resultOf(other)
    await putControl(nats, 'demo', 'c-2', { status: 'running' })
    await until('it goes on', () => apns.seen.length > silent + 100)
    await putControl(nats, 'demo', 'c-2', { status: 'aborted' })
    const result = await resultOf(chunk)
    const aborted = result.outcomes.filter((one) => one === PushOutcome.PUSH_OUTCOME_ABORTED).length
    const accepted = result.outcomes.filter((one) => one === PushOutcome.PUSH_OUTCOME_ACCEPTED).length
    assert.equal(aborted + accepted, 2_000)
    assert.ok(aborted > 0 && accepted >= 100, `${aborted} aborted, ${accepted} accepted`)
    await putBrand(demo)
  })

  test('a transactional push does not wait behind a campaign', async () => {
    accept()
    const bulk = testChunk(5_000, { pushTokens: testTokens(5_000, 10_000) })
    // No answer comes to the campaign: its connections are full.
    const held: (() => void)[] = []
    apns.handler = ({ token }, _server, stream) => {
      if (token.startsWith('00000000')) answer(stream, 200)
      else held.push(() => answer(stream, 200))
    }
    await enqueue(bulk)
    await until('the campaign fills its connections', () => held.length >= 2_000)
    const tx = testChunk(1)
    await enqueue(tx, 'tx')
    const result = await resultOf(tx)
    assert.deepEqual(result.outcomes, [PushOutcome.PUSH_OUTCOME_ACCEPTED])
    assert.equal(results.has(bulk.chunkId), false)
    apns.handler = (_push, _server, stream) => answer(stream, 200)
    for (const release of held) release()
    assert.equal((await resultOf(bulk)).outcomes.length, 5_000)
  })

  test('puts what no retry can help on the stream DEAD, with the reason', async () => {
    accept()
    const dead = await nats.manager.streams.info(streams.DEAD)
    await enqueue(testChunk(1, { topic: 'pass.com.example.other' }))
    await nats.jetstream.publish(subjects.pushBulk('demo'), Buffer.from([0xff, 0xff]))
    await until('both are dead', async () => {
      const now = await nats.manager.streams.info(streams.DEAD)
      return now.state.messages === dead.state.messages + 2
    })
    const message = await nats.manager.streams.getMessage(streams.DEAD, {
      last_by_subj: subjects.dead(subjects.pushBulk('demo')),
    })
    assert.match(message?.header.get('Stampede-Reason') ?? '', /topic|PushChunk/)
    assert.equal(apns.seen.length, 0, "another brand's topic was pushed")
  })

  test('a dispatcher that ends in the middle of a chunk finishes it, and leaves the rest to others', async () => {
    accept()
    await putBrand({ ...demo, maxBulkPerSecond: 1_000 })
    const chunks = [50_000, 52_000, 54_000].map((offset) => testChunk(1_000, { pushTokens: testTokens(1_000, offset) }))
    for (const chunk of chunks) await enqueue(chunk)
    await until('it is under way', () => apns.seen.length > 100)
    await running[Symbol.asyncDispose]()
    assert.equal(chunks.filter(({ chunkId }) => results.has(chunkId)).length, 2)
    await putBrand(demo)
    running = await service.start(stage.env)
    for (const { outcomes } of await Promise.all(chunks.map(resultOf)))
      assert.deepEqual(outcomes, new Array(1_000).fill(PushOutcome.PUSH_OUTCOME_ACCEPTED))
    assert.equal(apns.seen.length, 3_000, 'a recipient was pushed twice')
  })

  test('refuses to start with a certificate that is not for the host', async () => {
    const extra = { ...stage.env, STAMPEDE_APNS_URL: 'https://api.push.apple.com' }
    await assert.rejects(service.start(extra), /not Apple's is not used with/)
  })
})
