import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import {
  type BrandInfo,
  bitmapBytes,
  createLogger,
  createMetrics,
  type Delivery,
  makeEvent,
  type OutboxMessage,
  StampedeError,
  subjects,
  systemClock,
  uuidv7,
  withBits,
} from '@stampede/platform'
import { AudienceChunk } from '@stampede/proto/events/v1'
import { GoogleMessage, PushChunk, PushResult } from '@stampede/proto/push/v1'
import { createMeters } from '../metrics.ts'
import { testBrand } from '../testing/fixture.ts'
import { addPasses, storeBrand, type TestPass, type TestStore, testStore } from '../testing/store-fixture.ts'
import { bumpPasses, type ChunkContext, handleChunks } from './chunks.ts'

const brand = testBrand(storeBrand)
let store: TestStore
let context: ChunkContext
let published: OutboxMessage[]
/** Publishing fails for message ids that hold it. */
let broken: string | undefined
let current: BrandInfo

before(async () => {
  store = await testStore()
  const publish = async (subject: string, payload: Uint8Array, { msgID: id = '' } = {}) => {
    if (broken !== undefined && id.includes(broken)) throw new StampedeError('UNAVAILABLE', 'no broker')
    published.push({ subject, id, payload })
    return { stream: '', domain: '', seq: published.length, duplicate: false }
  }
  context = {
    database: store.database,
    clock: systemClock,
    logger: createLogger('test', 'silent'),
    meters: createMeters(createMetrics('chunks-test')),
    brands: { get: () => current },
    designs: { get: async () => undefined },
    nats: { jetstream: { publish: publish as ChunkContext['nats']['jetstream']['publish'] } },
  }
})
after(() => store[Symbol.asyncDispose]())
beforeEach(async () => {
  published = []
  broken = undefined
  current = brand
  await store.database.query('TRUNCATE pass, device, registration, message, bump, audience_row, brand_state')
})

/** A chunk of a campaign to passes of the first row. */
function chunkOf(nos: readonly number[], change: Partial<AudienceChunk> = {}): AudienceChunk {
  const texts = [{ locale: 'en', text: 'Come today' }]
  const bitmap = withBits(new Uint8Array(bitmapBytes), nos)
  return AudienceChunk.fromPartial({ campaignId: uuidv7(), campaignSeq: 1n, bitmap, message: { texts }, ...change })
}

function deliveryOf(value: AudienceChunk): Delivery {
  const now = new Date()
  const head = { brand: storeBrand, aggregateKind: 'chunk', aggregateId: uuidv7(), aggregateVersion: 1n } as const
  const event = makeEvent({ ...head, eventTime: now, schema: 'test', payload: { $case: 'chunk', value } }, now)
  const place = { sequence: 1, deliveries: 1, timestampMs: 0, working: () => undefined }
  return { subject: event.subject, data: event.payload, ...place }
}

async function release(...chunks: readonly AudienceChunk[]): Promise<void> {
  await handleChunks(context, chunks.map(deliveryOf))
}

function pushed(): readonly PushChunk[] {
  return published
    .filter(({ subject }) => subject === subjects.pushBulk(storeBrand))
    .map(({ payload }) => PushChunk.decode(payload))
}

function passes(count: number, change: Partial<TestPass> = {}): Promise<readonly string[]> {
  return addPasses(
    store.database,
    Array.from({ length: count }, (_, no) => ({ no, devices: [`phone-${no}`], ...change })),
  )
}

describe('a released chunk', () => {
  it('wakes a device with many passes once', async () => {
    await passes(20, { devices: ['shared'] })
    await release(chunkOf([3, 4, 5, 19]))
    assert.deepEqual(
      pushed().map(({ passNo, deviceLibraryId }) => [passNo, deviceLibraryId]),
      [[[3n], ['shared']]],
    )
  })

  it('is told as a result when it holds no phone', async () => {
    await passes(2, { devices: [] })
    const chunk = chunkOf([0, 1], { index: 4 })
    await release(chunk)
    const [message] = published
    assert.equal(message?.subject, subjects.pushResult(storeBrand))
    const { chunkId, campaignId } = PushResult.decode(message?.payload ?? new Uint8Array())
    assert.deepEqual([chunkId, campaignId], [`${chunk.campaignId}/4/0of0`, chunk.campaignId])
  })

  it('that was handed out is not handed out again', async () => {
    await passes(3)
    const chunk = chunkOf([0, 1, 2])
    await release(chunk)
    const first = published.length
    await release(chunk)
    assert.equal(published.length, first)
  })

  it('is handed out again when the broker did not take all of it, others of the batch are not', async () => {
    await passes(3)
    const [good, bad] = [chunkOf([0, 1]), chunkOf([1, 2])]
    broken = bad.campaignId
    await assert.rejects(release(good, bad), { code: 'UNAVAILABLE' })
    assert.deepEqual(
      pushed().map(({ campaignId }) => campaignId),
      [good.campaignId],
    )
    broken = undefined
    await release(good, bad)
    assert.deepEqual(
      pushed().map(({ campaignId }) => campaignId),
      [good.campaignId, bad.campaignId],
    )
  })

  it('does not wake whoever withdrew consent after it was stored and before it was handed out', async () => {
    await passes(3)
    const chunk = chunkOf([0, 1, 2])
    await store.database.transaction((tx) => bumpPasses(context, tx, brand, [chunk]))
    await store.database.query('UPDATE pass SET marketing_consent = false WHERE no = 1')
    await release(chunk)
    assert.deepEqual(
      pushed().map(({ passNo }) => passNo),
      [[0n, 2n]],
    )
  })

  it('comes in one batch with others of the same passes', async () => {
    await passes(2)
    const chunks = [chunkOf([0, 1], { campaignSeq: 2n }), chunkOf([0], { campaignSeq: 1n })]
    await release(...chunks)
    assert.equal(pushed().length, 2)
    const rows = await store.database.query<{ version: bigint }>('SELECT version FROM bump ORDER BY version')
    assert.deepEqual(
      rows.map(({ version }) => version),
      [1n, 2n],
    )
  })
})

describe('at Google', () => {
  const covering = { coversEverybody: true }

  function told(): readonly GoogleMessage[] {
    return published
      .filter(({ subject }) => subject.startsWith('push.google.'))
      .map(({ payload }) => GoogleMessage.decode(payload))
  }

  async function save(...nos: readonly number[]): Promise<void> {
    await store.database.query('UPDATE pass SET google_saved = no = ANY($1::bigint[])', [nos])
  }

  it('holders who carry the message get it in their language, without what is personal', async () => {
    await passes(6)
    await save(0, 1, 2, 5)
    await store.database.query("UPDATE pass SET locale = 'ru-RU' WHERE no = 2")
    const texts = [
      { locale: 'en', text: 'Hello {name}! Come to {brand}.' },
      { locale: 'ru', text: 'Скидка сегодня.' },
    ]
    const chunk = chunkOf([0, 1, 2, 3], { index: 7, message: { texts } })
    await release(chunk)
    const summary = told().map(({ messageId, objectIds, body, header }) => [messageId, objectIds.length, body, header])
    assert.deepEqual(summary.toSorted(), [
      [`${chunk.campaignId}-7-0`, 2, 'Come to Brand store.', 'Brand store'],
      [`${chunk.campaignId}-7-1`, 1, 'Скидка сегодня.', 'Brand store'],
    ])
    const [first] = told()
    assert.equal(first?.campaignId, chunk.campaignId)
    assert.ok((first?.expiresAt?.getTime() ?? 0) - (first?.createdAt?.getTime() ?? 0) <= 48 * 3_600_000)
  })

  it('nobody gets a text of which nothing but the personal is left', async () => {
    await passes(1)
    await save(0)
    await release(chunkOf([0], { message: { texts: [{ locale: 'en', text: 'You have {points} points' }] } }))
    assert.deepEqual(told(), [])
  })

  it('a campaign to everybody is one message to the class, with the first row only', async () => {
    await passes(2)
    await save(0, 1)
    const chunk = chunkOf([0, 1], covering)
    await release(chunk, { ...chunk, index: 1, base: 8_192n })
    assert.deepEqual(
      told().map(({ messageId, objectIds, body }) => [messageId, objectIds, body]),
      [[`${chunk.campaignId}-all`, [], 'Come today']],
    )
    assert.ok(published.some(({ subject }) => subject.includes('.broadcast.')))
  })

  it('it is none when anybody of the brand is silent, and stays what was decided', async () => {
    await passes(3)
    await save(0, 1)
    await store.database.query("UPDATE pass SET lifecycle = 'used' WHERE no = 2")
    const chunk = chunkOf([0, 1], covering)
    await release(chunk)
    await store.database.query("UPDATE pass SET lifecycle = 'open' WHERE no = 2")
    await release({ ...chunk, index: 1, base: 8_192n })
    assert.deepEqual(
      told().map(({ objectIds }) => objectIds.length),
      [2],
    )
    const rows = await store.database.query('SELECT google_mode FROM message')
    assert.deepEqual(rows, [{ google_mode: 'objects' }])
  })

  it('nor when campaigns held somebody back, or the message is in several languages', async () => {
    await passes(1)
    await save(0)
    const texts = ['en', 'ru'].map((locale) => ({ locale, text: 'Come' }))
    await release(chunkOf([0]), chunkOf([0], { ...covering, message: { texts } }))
    assert.deepEqual(
      told().map(({ objectIds }) => objectIds.length),
      [1, 1],
    )
  })

  it('nothing is told for a brand without an issuer', async () => {
    current = { ...brand, googleIssuerId: '' }
    await passes(1)
    await save(0)
    await release(chunkOf([0], covering))
    assert.deepEqual(told(), [])
    assert.equal(pushed().length, 1)
  })

  it('what is made again has the same ids', async () => {
    await passes(2)
    await save(0, 1)
    const chunk = chunkOf([0, 1])
    await release(chunk)
    const ids = published.map(({ id }) => id)
    await store.database.query('UPDATE bump SET handed_at = NULL')
    published = []
    await release(chunk)
    assert.deepEqual(
      published.map(({ id }) => id),
      ids,
    )
  })
})
