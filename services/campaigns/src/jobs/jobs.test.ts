import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { subjects } from '@stampede/platform'
import { delivery, fetchesOf, pushResult, type ResultInput } from '../testing/messages.ts'
import { StoreFixture } from '../testing/store-fixture.ts'
import { countFetches } from './fetches.ts'
import { releaseAll } from './leader.ts'
import { countResults } from './results.ts'

const minuteMs = 60_000

describe('the jobs of campaigns', () => {
  const stack = new AsyncDisposableStack()
  let fixture: StoreFixture

  before(async () => {
    fixture = stack.use(await StoreFixture.open())
  })
  after(() => stack.disposeAsync())

  const release = () => releaseAll(fixture.context)
  const report = (input: ResultInput) => countResults(fixture.context, [delivery(pushResult(input))])
  const progress = async (brand: string, campaignId: string) => {
    const { status, progress: counters } = await fixture.campaign(brand, campaignId)
    assert.ok(counters)
    assert.equal(counters.recipients, counters.accepted + counters.failed + counters.aborted)
    return { status, ...counters }
  }

  it('never has more than 32 chunks open', async () => {
    const brand = 'open'
    const campaignId = await fixture.run(brand, 40, 1)
    for (let round = 0; round < 4; round += 1) await release()
    assert.equal((await progress(brand, campaignId)).chunksReleased, 32)
    await report({ brand, campaignId, place: '5/0of0' })
    await release()
    assert.equal((await progress(brand, campaignId)).chunksReleased, 33)
    assert.equal((await fixture.outbox(subjects.chunk(brand))).length, 33)
    await fixture.abort(brand, campaignId)
    await release()
    assert.equal((await progress(brand, campaignId)).chunksReleased, 33)
  })

  it('keeps the phones on their way within 60 s of capacity, and gives up on phones that do not come', async () => {
    const brand = 'window'
    fixture.capacityPerSecond = 100
    const campaignId = await fixture.run(brand, 3, 4_000)
    await release()
    fixture.clock.advance(minuteMs)
    await release()
    assert.equal((await progress(brand, campaignId)).chunksReleased, 1)
    const passNo = Array.from({ length: 4_000 }, (_, index) => BigInt(index))
    await report({ brand, campaignId, place: '0/0of1', passNo, atMs: fixture.clock.nowMs() })
    await release()
    assert.equal((await progress(brand, campaignId)).chunksReleased, 1)
    const atMs = fixture.clock.nowMs()
    await countFetches(fixture.context, [delivery(fetchesOf(brand, campaignId, passNo.slice(0, 3_200), atMs))])
    await release()
    assert.equal((await progress(brand, campaignId)).chunksReleased, 2)
    await report({ brand, campaignId, place: '1/0of1', passNo: passNo.map((no) => no + 8_192n), atMs })
    fixture.clock.advance(minuteMs - 1)
    await release()
    assert.equal((await progress(brand, campaignId)).chunksReleased, 2)
    fixture.clock.advance(1)
    await release()
    assert.equal((await progress(brand, campaignId)).chunksReleased, 3)
    await fixture.abort(brand, campaignId)
    fixture.capacityPerSecond = 1_000_000
  })

  it('releases no faster than the own ceiling', async () => {
    const brand = 'ceiling'
    const campaignId = await fixture.run(brand, 3, 1_000, 100)
    await release()
    await release()
    assert.equal((await progress(brand, campaignId)).chunksReleased, 1)
    fixture.clock.advance(9_000)
    await release()
    assert.equal((await progress(brand, campaignId)).chunksReleased, 1)
    fixture.clock.advance(1_000)
    await release()
    assert.equal((await progress(brand, campaignId)).chunksReleased, 2)
    await fixture.abort(brand, campaignId)
  })

  it('shares the capacity among campaigns that wait', async () => {
    fixture.capacityPerSecond = 100
    const one = await fixture.run('share-one', 3, 2_000)
    const two = await fixture.run('share-two', 3, 2_000)
    for (let round = 0; round < 4; round += 1) {
      await release()
      fixture.clock.advance(minuteMs)
    }
    // Half of 100 x 0.8 x 60 s is 2,400 phones: one chunk each.
    assert.equal((await progress('share-one', one)).chunksReleased, 1)
    assert.equal((await progress('share-two', two)).chunksReleased, 1)
    await fixture.abort('share-one', one)
    await release()
    assert.equal((await progress('share-two', two)).chunksReleased, 2)
    await fixture.abort('share-two', two)
    fixture.capacityPerSecond = 1_000_000
  })

  it('releases nothing while paused, and ends a paused campaign whose chunks are complete', async () => {
    const brand = 'paused'
    const campaignId = await fixture.run(brand, 34, 1)
    await release()
    await fixture.pause(brand, campaignId)
    for (let index = 0; index < 32; index += 1) await report({ brand, campaignId, place: `${index}/0of0` })
    await release()
    assert.equal((await progress(brand, campaignId)).chunksReleased, 32)
    await fixture.resume(brand, campaignId)
    await release()
    assert.equal((await progress(brand, campaignId)).chunksReleased, 34)
    await fixture.pause(brand, campaignId)
    await report({ brand, campaignId, place: '32/0of0' })
    await report({ brand, campaignId, place: '33/0of0' })
    assert.equal((await progress(brand, campaignId)).status, 'done')
  })

  it('several leaders at once release each chunk once, and not beyond the limit', async () => {
    for (let round = 0; round < 8; round += 1) {
      const brand = `leaders-${round}`
      const campaignId = await fixture.run(brand, 60, 1)
      // All connections of the pool are there: leaders that wait for one would not meet.
      await Promise.all([1, 2, 3, 4].map(() => fixture.database.query('SELECT pg_sleep(0.02)')))
      await Promise.all([release(), release(), release(), release()])
      await release()
      assert.equal((await progress(brand, campaignId)).chunksReleased, 32)
      assert.equal((await fixture.outbox(subjects.chunk(brand))).length, 32, `round ${round}`)
      await fixture.abort(brand, campaignId)
    }
  })

  it('counts a part once; pushed again it is a duplicate, told again it is nothing', async () => {
    const brand = 'once'
    const campaignId = await fixture.run(brand, 1, 100)
    await release()
    const first = delivery(pushResult({ brand, campaignId, place: '0/0of2', passNo: [1n, 2n], failed: 3 }))
    await countResults(fixture.context, [first])
    await countResults(fixture.context, [first])
    assert.equal((await progress(brand, campaignId)).duplicates, 0n)
    await report({ brand, campaignId, place: '0/0of2', passNo: [1n, 2n], failed: 3 })
    const halfWay = await progress(brand, campaignId)
    assert.deepEqual(
      [halfWay.status, halfWay.recipients, halfWay.accepted, halfWay.failed, halfWay.duplicates, halfWay.chunksDone],
      ['running', 5n, 2n, 3n, 2n, 0],
    )
    assert.deepEqual(halfWay.failuresByReason, { Unregistered: 3n })
    await report({ brand, campaignId, place: '0/1of2', passNo: [3n], failed: 1 })
    const end = await progress(brand, campaignId)
    assert.deepEqual([end.status, end.recipients, end.chunksDone], ['done', 7n, 1])
    assert.deepEqual(end.failuresByReason, { Unregistered: 4n })
  })

  it('two parts complete a chunk, whichever comes first', async () => {
    const brand = 'parts'
    const campaignId = await fixture.run(brand, 1, 2_000)
    const passNo = Array.from({ length: 1_000 }, (_, index) => BigInt(index))
    await report({ brand, campaignId, place: '0/1of2', passNo: [1_000n] })
    assert.equal((await progress(brand, campaignId)).chunksDone, 0)
    await report({ brand, campaignId, place: '0/0of2', passNo })
    assert.equal((await progress(brand, campaignId)).status, 'done')
  })

  it('the last two chunks completed at once by two replicas end the campaign', async () => {
    const brand = 'race'
    for (let round = 0; round < 10; round += 1) {
      const campaignId = await fixture.run(brand, 2, 10)
      await release()
      await Promise.all([
        report({ brand, campaignId, place: '0/0of1', passNo: [1n] }),
        report({ brand, campaignId, place: '1/0of1', passNo: [8_193n] }),
      ])
      assert.equal((await progress(brand, campaignId)).status, 'done', `round ${round}`)
    }
  })

  it('counts results that come after an abort, and stays aborted', async () => {
    const brand = 'late'
    const campaignId = await fixture.run(brand, 2, 10)
    await release()
    await report({ brand, campaignId, place: '0/0of1', passNo: [1n, 2n], failed: 1 })
    await fixture.abort(brand, campaignId)
    await report({ brand, campaignId, place: '1/0of1', passNo: [8_193n], aborted: 4 })
    const end = await progress(brand, campaignId)
    assert.deepEqual(
      [end.status, end.recipients, end.accepted, end.failed, end.aborted, end.sent, end.chunksDone],
      ['aborted', 8n, 3n, 1n, 4n, 4n, 2],
    )
  })

  it('passes over results of purchases and refuses an id that names no part', async () => {
    await report({ brand: 'tx', campaignId: '', place: 'x' })
    await assert.rejects(report({ brand: 'tx', campaignId: 'c-1', place: '0/0of1', passNo: [1n] }), {
      code: 'INVALID_ARGUMENT',
      field: 'chunk_id',
    })
    await report({ brand: 'tx', campaignId: '0199f3a0-0000-7000-8000-000000000001', place: '0/0of1', passNo: [1n] })
  })

  it('counts a fetched pass once, within 60 s of its push or later', async () => {
    const brand = 'fetched'
    const campaignId = await fixture.run(brand, 2, 100)
    await release()
    const atMs = fixture.clock.nowMs()
    const fetched = (no: readonly bigint[], afterMs: number) =>
      countFetches(fixture.context, [delivery(fetchesOf(brand, campaignId, no, atMs + afterMs))])
    // A phone that is faster than the result of its push.
    await fetched([1n], 200)
    await report({ brand, campaignId, place: '0/0of1', passNo: [1n, 2n, 3n], atMs })
    await report({ brand, campaignId, place: '1/0of1', passNo: [8_192n], atMs: atMs + 50_000 })
    await fetched([2n, 8_192n], minuteMs)
    await fetched([3n], minuteMs + 1)
    await fetched([1n, 2n, 3n, 3n], 2 * minuteMs)
    // Not of the audience.
    await fetched([100n, 20_000n], 100)
    const { fetched: count, fetchedWithin60s } = await progress(brand, campaignId)
    assert.deepEqual([count, fetchedWithin60s], [4n, 3n])
  })

  it('counts fetches of several events and campaigns in one batch', async () => {
    const one = await fixture.run('batch', 1, 10)
    const two = await fixture.run('batch', 1, 10)
    const message = fetchesOf('batch', one, [1n, 2n])
    await countFetches(fixture.context, [
      delivery(message),
      delivery(message),
      delivery(fetchesOf('batch', two, [2n])),
      delivery(fetchesOf('batch', '', [3n])),
    ])
    assert.equal((await progress('batch', one)).fetched, 2n)
    assert.equal((await progress('batch', two)).fetched, 1n)
  })
})
