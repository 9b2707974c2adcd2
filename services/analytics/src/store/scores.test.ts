import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { isChurning, type Purchases, rfmScore, rfmThresholds, segmentOf } from '@stampede/lifetimes'
import { uuidv7 } from '@stampede/platform'
import { type TestClickHouse, testClickHouse } from '@stampede/platform/testing'
import { memberEvent, type ReceiptInput, receiptEvent } from '../testing/events.ts'
import { storeEvents } from '../testing/store.ts'
import { createTables } from './schema.ts'
import { dropScores, type ScoredSnapshot, scoreMembers, storedSnapshots } from './scores.ts'
import { cellCounts, memberScore } from './segments.ts'

const asOf = new Date('2026-06-30T12:00:00Z')
const dayMs = 86_400_000

describe('scores in SQL', () => {
  let store: TestClickHouse

  before(async () => {
    store = await testClickHouse()
    await createTables(store.client)
  })
  after(() => store[Symbol.asyncDispose]())

  async function take(brand: string, timeZone = 'UTC', at = asOf): Promise<ScoredSnapshot & { id: string }> {
    const id = uuidv7()
    return { id, ...(await scoreMembers(store.client, { brand, snapshotId: id, asOf: at, timeZone })) }
  }

  const day = (iso: string, memberId = 'm', more: Partial<ReceiptInput> = {}): ReceiptInput => ({
    memberId,
    occurredAt: new Date(iso),
    ...more,
  })

  it('equal those of the library on random members', async () => {
    const seed = Date.now() % 1_000_000
    const random = generator(seed)
    const buyers = new Map<string, Purchases & { spanDays: number }>()
    const events: Uint8Array[] = []
    for (let member = 0; member < 300; member++) {
      const days = [...new Set(Array.from({ length: 1 + Math.floor(random() * 6) }, () => Math.floor(random() * 90)))]
      const amounts = days.map(() => BigInt(1 + Math.floor(random() * 5_000)))
      days.forEach((ago, index) => {
        const occurredAt = new Date(asOf.getTime() - ago * dayMs)
        events.push(receiptEvent('random', { memberId: `m-${member}`, occurredAt, totalMinor: amounts[index] ?? 0n }))
      })
      buyers.set(`m-${member}`, {
        recencyDays: Math.min(...days),
        frequency: days.length,
        monetary: Number(amounts.reduce((a, b) => a + b, 0n)),
        spanDays: Math.max(...days) - Math.min(...days),
      })
    }
    await storeEvents(store.client, events)
    const { id, thresholds, members } = await take('random')
    assert.equal(members, 300)
    const expected = rfmThresholds([...buyers.values()])
    assert.ok(thresholds)
    for (const measure of ['recency', 'frequency', 'monetary'] as const)
      thresholds[measure].forEach((value, index) => {
        const wanted = expected[measure][index] ?? Number.NaN
        assert.ok(Math.abs(value - wanted) < 1e-6, `SEED=${seed} ${measure} ${value} ${wanted}`)
      })
    const recencies = [...buyers.values()].map((buyer) => buyer.recencyDays).sort((a, b) => a - b)
    const median = ((recencies[149] ?? 0) + (recencies[150] ?? 0)) / 2
    for (const [member, buyer] of buyers) {
      const score = await memberScore(store.client, 'random', id, member)
      const { r, f, m } = rfmScore(buyer, expected)
      assert.deepEqual(
        score,
        {
          r,
          f,
          m,
          segment: segmentOf(r, f),
          churning: isChurning(buyer, median),
          recencyDays: buyer.recencyDays,
          frequency: buyer.frequency,
          monetaryMinor: String(buyer.monetary),
        },
        `SEED=${seed} ${member}`,
      )
    }
  })

  it('count days where the brand is, not where the server is', async () => {
    // Morning and evening of one day in Tokyo fall on two days in UTC.
    await storeEvents(
      store.client,
      ['2026-06-01T20:00:00Z', '2026-06-02T10:00:00Z'].map((iso) => receiptEvent('tokyo', day(iso))),
    )
    const utc = await take('tokyo', 'UTC')
    const tokyo = await take('tokyo', 'Asia/Tokyo')
    assert.equal((await memberScore(store.client, 'tokyo', utc.id, 'm'))?.frequency, 2)
    assert.equal((await memberScore(store.client, 'tokyo', tokyo.id, 'm'))?.frequency, 1)
  })

  it('net returns on their own date', async () => {
    await storeEvents(store.client, [
      receiptEvent('returns', day('2026-06-01T10:00:00Z', 'later')),
      receiptEvent('returns', day('2026-06-05T10:00:00Z', 'later', { kind: 'return', totalMinor: 400n })),
      receiptEvent('returns', day('2026-06-01T10:00:00Z', 'sameday')),
      receiptEvent('returns', day('2026-06-01T11:00:00Z', 'sameday', { kind: 'return' })),
    ])
    const { id, members } = await take('returns')
    assert.equal(members, 2)
    const later = await memberScore(store.client, 'returns', id, 'later')
    assert.deepEqual([later?.frequency, later?.recencyDays, later?.monetaryMinor], [1, 29, '600'])
    const sameDay = await memberScore(store.client, 'returns', id, 'sameday')
    assert.deepEqual([sameDay?.segment, sameDay?.r, sameDay?.monetaryMinor], ['prospects', 0, '0'])
  })

  it('leave out what happened after the as-of instant, and are the same when taken again', async () => {
    await storeEvents(
      store.client,
      ['2026-06-01T10:00:00Z', '2026-06-20T10:00:00Z'].map((iso) => receiptEvent('asof', day(iso))),
    )
    const early = new Date('2026-06-20T09:59:59Z')
    const first = await take('asof', 'UTC', early)
    assert.equal((await memberScore(store.client, 'asof', first.id, 'm'))?.frequency, 1)
    await storeEvents(store.client, [receiptEvent('asof', day('2026-06-25T10:00:00Z'))])
    const again = await take('asof', 'UTC', early)
    assert.deepEqual({ ...again, id: '' }, { ...first, id: '' })
    assert.equal((await memberScore(store.client, 'asof', (await take('asof')).id, 'm'))?.frequency, 3)
  })

  it('hold members without a purchase as prospects and leave out erased ones', async () => {
    await storeEvents(store.client, [
      memberEvent('people', 'never'),
      memberEvent('people', 'buyer'),
      memberEvent('people', 'gone', 1n),
      memberEvent('people', 'gone', 2n, 'erased'),
      receiptEvent('people', day('2026-06-01T10:00:00Z', 'buyer')),
      receiptEvent('people', day('2026-06-01T10:00:00Z', 'gone')),
      receiptEvent('people', day('2026-06-01T10:00:00Z', 'not-yet-enrolled')),
      receiptEvent('people', day('2026-06-01T10:00:00Z', '')),
    ])
    const { id, members } = await take('people')
    assert.equal(members, 3)
    assert.equal((await memberScore(store.client, 'people', id, 'never'))?.segment, 'prospects')
    assert.equal(await memberScore(store.client, 'people', id, 'gone'), undefined)
    assert.equal((await memberScore(store.client, 'people', id, 'not-yet-enrolled'))?.frequency, 1)
  })

  it('of a brand without buyers have no thresholds', async () => {
    await storeEvents(store.client, [memberEvent('fresh', 'a')])
    const { thresholds, members } = await take('fresh')
    assert.deepEqual([thresholds, members], [undefined, 1])
    const empty = await take('nobody')
    assert.deepEqual([empty.thresholds, empty.members], [undefined, 0])
  })

  it('of one brand do not touch another, and can be dropped', async () => {
    await storeEvents(store.client, [
      receiptEvent('one', day('2026-06-01T10:00:00Z')),
      receiptEvent('two', day('2026-06-01T10:00:00Z')),
    ])
    const [one, two] = [await take('one'), await take('two')]
    assert.deepEqual(await storedSnapshots(store.client, 'one'), [one.id])
    await dropScores(store.client, one.id)
    assert.deepEqual(await cellCounts(store.client, 'one', one.id), [])
    assert.equal((await cellCounts(store.client, 'two', two.id)).length, 1)
  })
})

/** Seeded numbers from 0 to 1 (mulberry32). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
