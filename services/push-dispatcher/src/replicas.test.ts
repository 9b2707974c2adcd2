import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import type { RunningService } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { PushOutcome } from '@stampede/proto/push/v1'
import { service } from './index.ts'
import { testChunk, testTokens } from './testing/chunks.ts'
import { type Stage, startStage } from './testing/stage.ts'

const CHUNKS = 60
const CHUNK_SIZE = 200
/** Stretches a campaign over some seconds, so that replicas can come and go meanwhile. */
const PER_SECOND = 4_000

describe('replicas of the dispatcher', () => {
  let stage: Stage
  const replicas = new Set<RunningService>()

  before(async () => {
    stage = await startStage()
    await stage.putBrand({ brand: 'demo', passTypeId: 'pass.com.example.demo', maxBulkPerSecond: PER_SECOND })
  })

  afterEach(async () => {
    for (const replica of replicas) await end(replica)
    stage.results.clear()
    stage.apns.seen.length = 0
  })

  after(() => stage?.[Symbol.asyncDispose]())

  async function start(): Promise<RunningService> {
    const replica = await service.start(stage.env)
    replicas.add(replica)
    return replica
  }

  async function end(replica: RunningService): Promise<void> {
    replicas.delete(replica)
    await replica[Symbol.asyncDispose]()
  }

  /** Puts a campaign on the queue; the ids of its chunks. */
  async function enqueueCampaign(): Promise<readonly string[]> {
    const chunks = Array.from({ length: CHUNKS }, (_, index) =>
      testChunk(CHUNK_SIZE, { pushTokens: testTokens(CHUNK_SIZE, index * CHUNK_SIZE) }),
    )
    for (const chunk of chunks) await stage.enqueue(chunk)
    return chunks.map(({ chunkId }) => chunkId)
  }

  async function assertComplete(chunkIds: readonly string[]): Promise<void> {
    await until('each chunk has a result', () => chunkIds.every((id) => stage.results.has(id)), 60_000)
    for (const id of chunkIds) {
      const [result, ...more] = stage.results.get(id) ?? []
      assert.equal(more.length, 0, `${id} has several results`)
      assert.ok(result?.outcomes.every((outcome) => outcome === PushOutcome.PUSH_OUTCOME_ACCEPTED))
    }
    assert.equal(
      new Set(stage.apns.seen.map(({ token }) => token)).size,
      CHUNKS * CHUNK_SIZE,
      'a recipient was never pushed',
    )
  }

  /** Pushes of a replica that were accepted, as its metrics say. */
  async function accepted({ httpPort }: RunningService): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text()
    return Number(/outcomes_total\{[^}]*outcome="accepted"[^}]*\} (\d+)/.exec(text)?.[1] ?? 0)
  }

  test('two share a campaign: each chunk has one result, and each replica did a share', async () => {
    const [a, b] = [await start(), await start()]
    await assertComplete(await enqueueCampaign())
    const shares = [await accepted(a), await accepted(b)]
    const total = CHUNKS * CHUNK_SIZE
    assert.equal((shares[0] ?? 0) + (shares[1] ?? 0), total)
    for (const share of shares) assert.ok(share > total / 4, `shares ${shares.join()}`)
    assert.equal(stage.apns.seen.length, total, 'nothing was pushed twice')
  })

  test('one of three leaves in the middle and another one joins: nothing is lost', async () => {
    const [leaving, stays, third] = [await start(), await start(), await start()]
    const chunkIds = await enqueueCampaign()
    await until('a quarter is done', () => stage.results.size >= CHUNKS / 4)
    assert.ok((await accepted(leaving)) > 0, 'the one that leaves has done something')
    const joining = await start()
    await end(leaving)
    await assertComplete(chunkIds)
    for (const replica of [stays, third, joining]) assert.ok((await accepted(replica)) > 0, 'each has done something')
    assert.equal(stage.apns.seen.length, CHUNKS * CHUNK_SIZE, 'the one that left gave back what it had begun')
  })
})
