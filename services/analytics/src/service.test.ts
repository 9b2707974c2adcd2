import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  connectDatabase,
  connectNats,
  createClient,
  createLogger,
  ensureStreams,
  type Nats,
  type RunningService,
  readPlatformConfig,
  type ServiceClient,
  StampedeError,
  subjects,
} from '@stampede/platform'
import {
  platformEnv,
  type TestPostgres,
  tempDir,
  testKeys,
  testNats,
  testPostgres,
  until,
} from '@stampede/platform/testing'
import { AnalyticsServiceService, type GetAudienceResponse } from '@stampede/proto/analytics/v1'
import { PushOutcome, PushResult } from '@stampede/proto/push/v1'
import { service } from './index.ts'
import { encodeEvent, memberEvent, passEvent, receiptEvent } from './testing/events.ts'

const brand = 'demo'
const campaignId = 'campaign-1'
const waitMs = 20_000
const pushedAtMs = Date.parse('2025-11-27T08:00:00.000Z')

describe('analytics', () => {
  const stack = new AsyncDisposableStack()
  let nats: Nats
  let running: RunningService
  let postgres: TestPostgres
  let client: ServiceClient<typeof AnalyticsServiceService>

  before(async () => {
    const dir = stack.use(tempDir('analytics'))
    const keys = testKeys()
    const server = stack.use(await testNats())
    postgres = stack.use(await testPostgres())
    const env = platformEnv({ nats: server, postgres, dataDir: dir.path, keys })
    nats = stack.use(await connectNats({ url: server.url, name: 'test', logger: createLogger('test', 'silent') }))
    await ensureStreams(nats)
    await putBrand(nats)
    running = stack.use(await service.start(env))
    client = stack.use(
      createClient(AnalyticsServiceService, {
        address: `127.0.0.1:${running.grpcPort}`,
        apiKey: keys.rootKey,
        platform: readPlatformConfig(env),
        defaultDeadlineMs: waitMs,
      }),
    )
    await fill(nats)
    await ingested({ sales: 5n, returns: 1n, passes: 3n, pushResults: 7n, fetches: 3n })
  })
  after(() => stack.disposeAsync())

  async function ingested(expected: Readonly<Record<string, bigint>>): Promise<void> {
    const deadline = Date.now() + waitMs
    for (;;) {
      const state = await client.getIngestState({ brand })
      try {
        assert.deepEqual(state, expected)
        return
      } catch (error) {
        if (Date.now() > deadline) throw error
      }
      await sleep(50)
    }
  }

  async function audience(segments: string[]): Promise<readonly GetAudienceResponse[]> {
    return await collect(client.getAudience({ brand, segments }))
  }

  const passesOf = (rows: readonly GetAudienceResponse[]) =>
    rows.flatMap((row) =>
      [...row.bitmap].flatMap((byte, index) =>
        [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte & (1 << bit)).map((bit) => Number(row.base) + index * 8 + bit),
      ),
    )

  const failsWith =
    (code: string, field = '') =>
    (error: unknown): boolean =>
      error instanceof StampedeError && error.code === code && error.field === field

  it('refuses what needs a snapshot before there is one', async () => {
    await assert.rejects(client.getSegments({ brand }), failsWith('FAILED_PRECONDITION'))
    await assert.rejects(audience(['loyal']), failsWith('FAILED_PRECONDITION'))
  })

  it('counts an event that is published twice once', async () => {
    const twice = receiptEvent(brand, { memberId: 'm-1', occurredAt: new Date('2025-11-20T10:00:00Z') })
    await nats.jetstream.publish(subjects.receipt(brand), twice, { msgID: 'one' })
    await ingested({ sales: 6n, returns: 1n, passes: 3n, pushResults: 7n, fetches: 3n })
    await nats.jetstream.publish(subjects.receipt(brand), twice, { msgID: 'two' })
    await nats.jetstream.publish(subjects.receipt(brand), twice, { msgID: 'three' })
    const marker = { memberId: 'm-1', occurredAt: new Date('2025-11-21T10:00:00Z') }
    await nats.jetstream.publish(subjects.receipt(brand), receiptEvent(brand, marker))
    await ingested({ sales: 7n, returns: 1n, passes: 3n, pushResults: 7n, fetches: 3n })
  })

  it('sets a message aside that is no event, and goes on', async () => {
    await nats.jetstream.publish(subjects.receipt(brand), new Uint8Array([255, 255, 1]))
    const next = { memberId: 'm-1', occurredAt: new Date('2025-11-22T10:00:00Z') }
    await nats.jetstream.publish(subjects.receipt(brand), receiptEvent(brand, next))
    await ingested({ sales: 8n, returns: 1n, passes: 3n, pushResults: 7n, fetches: 3n })
    const dead = await nats.manager.streams.getMessage('DEAD', { last_by_subj: subjects.dead(subjects.receipt(brand)) })
    assert.equal(dead?.header.get('Stampede-Reason'), 'not an Event')
  })

  it('says how many messages wait while the store does not take them', async () => {
    const lag = async () => {
      const text = await (await fetch(`http://127.0.0.1:${running.httpPort}/metrics`)).text()
      return Number(/^stampede_analytics_ingest_lag_messages\{stream="PUSH_RESULT"\} (\d+)$/m.exec(text)?.[1])
    }
    const connection = { url: postgres.url, schema: 'analytics', logger: createLogger('test', 'silent') }
    await using database = connectDatabase(connection)
    const result = PushResult.encode(PushResult.fromPartial({ brand: 'other', chunkId: 'waits' })).finish()
    await database.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM ingest_ranges FOR UPDATE')
      for (let count = 0; count < 3; count++) await nats.jetstream.publish(subjects.pushResult('other'), result)
      await until('three wait', async () => (await lag()) === 3)
    })
    await until('none waits', async () => (await lag()) === 0)
  })

  it('takes a snapshot once per key', async () => {
    const asOf = new Date('2025-11-27T10:00:00Z')
    const first = await client.takeSnapshot({ brand, idempotencyKey: 'k1', asOf })
    assert.deepEqual(first, { members: 4n, asOf })
    const [again, same] = await Promise.all(
      [1, 2].map(() => client.takeSnapshot({ brand, idempotencyKey: 'k1', asOf })),
    )
    assert.deepEqual([again, same], [first, first])
    const other = client.takeSnapshot({ brand, idempotencyKey: 'k1', asOf: new Date('2025-11-26T10:00:00Z') })
    await assert.rejects(other, failsWith('IDEMPOTENCY_CONFLICT', 'idempotency_key'))
    const byDefault = await client.takeSnapshot({ brand, idempotencyKey: 'k2' })
    assert.deepEqual(await client.takeSnapshot({ brand, idempotencyKey: 'k2' }), byDefault)
    for (const key of ['k3', 'k4']) await client.takeSnapshot({ brand, idempotencyKey: key, asOf })
  })

  it('checks the request of a snapshot', async () => {
    await assert.rejects(client.takeSnapshot({ brand }), failsWith('INVALID_ARGUMENT', 'idempotency_key'))
    const ahead = client.takeSnapshot({ brand, idempotencyKey: 'k5', asOf: new Date('2100-01-01T00:00:00Z') })
    await assert.rejects(ahead, failsWith('INVALID_ARGUMENT', 'as_of'))
    await assert.rejects(client.takeSnapshot({ brand: 'no', idempotencyKey: 'k5' }), failsWith('NOT_FOUND'))
  })

  it('gives all segments and cells, which add up', async () => {
    const { segments, cells, recencyThresholds } = await client.getSegments({ brand })
    assert.equal(segments.length, 11)
    assert.equal(cells.length, 25)
    assert.equal(recencyThresholds.length, 4)
    const members = segments.reduce((sum, one) => sum + one.members, 0n)
    assert.equal(members, 4n)
    assert.equal(cells.reduce((sum, one) => sum + one.members, 0n) + 1n, members)
    assert.equal(segments.find((one) => one.segment === 'prospects')?.members, 1n)
    const kpis = await client.getKpis({ brand })
    assert.equal(
      segments.reduce((sum, one) => sum + one.revenueMinor, 0n),
      kpis.revenueMinor,
    )
    assert.ok(segments.every((one, index) => index === 0 || one.members <= (segments[index - 1]?.members ?? 0n)))
  })

  it('gives the score of a member, and NOT_FOUND for a stranger', async () => {
    const score = await client.getMemberScore({ brand, memberId: 'm-1' })
    assert.deepEqual([score.frequency, score.recencyDays, score.monetaryMinor], [5, 5, 5_000n])
    const prospect = await client.getMemberScore({ brand, memberId: 'm-4' })
    assert.deepEqual([prospect.segment, prospect.r, prospect.frequency], ['prospects', 0, 0])
    await assert.rejects(client.getMemberScore({ brand, memberId: 'x' }), failsWith('NOT_FOUND'))
    await assert.rejects(client.getMemberScore({ brand }), failsWith('INVALID_ARGUMENT', 'member_id'))
  })

  it('gives KPIs, without a value where there is nothing to divide by', async () => {
    assert.deepEqual(await client.getKpis({ brand }), {
      members: 4n,
      buyers: 3n,
      receipts: 8n,
      returns: 1n,
      revenueMinor: 7_600n,
      returnedMinor: 400n,
      pointsEarned: 380n,
      pointsSpent: 0n,
      pointsOutstanding: 150n,
      repeatRate: 2 / 3,
      redemptionRate: 0,
      averageReceiptMinor: 1_000,
      cardsInstalled: 2n,
      currency: 'GBP',
    })
    const empty = await client.getKpis({ brand: 'empty' })
    assert.deepEqual(
      [empty.repeatRate, empty.redemptionRate, empty.averageReceiptMinor],
      [undefined, undefined, undefined],
    )
    assert.equal(empty.members, 0n)
  })

  it('gives days of the brand, silent ones too', async () => {
    const { days } = await client.getDailySeries({ brand, days: 4 })
    assert.deepEqual(
      days.map((one) => [one.date, one.receipts, one.revenueMinor, one.buyers]),
      [
        ['2025-11-20', 1n, 1_000n, 1n],
        ['2025-11-21', 1n, 600n, 1n],
        ['2025-11-22', 1n, 1_000n, 1n],
      ],
    )
    // 2025-11-10T23:30Z is the next day in Berlin.
    const all = await client.getDailySeries({ brand })
    assert.equal(all.days.find((one) => one.receipts > 0n && one.date >= '2025-11-10')?.date, '2025-11-11')
    assert.equal(all.days.length, 22)
    assert.deepEqual(await client.getDailySeries({ brand: 'empty' }), { days: [] })
    await assert.rejects(client.getDailySeries({ brand, days: 1_101 }), failsWith('INVALID_ARGUMENT', 'days'))
  })

  it('reports a campaign by distinct recipients', async () => {
    const report = await client.getPushReport({ brand, campaignId })
    assert.deepEqual(report, {
      recipients: 4n,
      accepted: 3n,
      failed: 1n,
      // Recipient 0 was pushed again two seconds later; recipient 1 was only reported again.
      duplicates: 1n,
      fetched: 2n,
      fetchedWithin60s: 1n,
      failuresByReason: { BadDeviceToken: 1n },
      acceptedPerSecond: [2n, 1n],
      fetchedPerSecond: [0n, 0n, 0n, 1n, ...Array.from({ length: 61 }, () => 0n), 1n],
    })
    await assert.rejects(client.getPushReport({ brand, campaignId: 'unknown' }), failsWith('NOT_FOUND'))
  })

  it('gives audiences as bitmaps', async () => {
    const all = await audience(['all'])
    assert.deepEqual(
      all.map((row) => [row.base, row.count, row.bitmap.length]),
      [
        [0n, 2, 1_024],
        [8_192n, 1, 1_024],
      ],
    )
    assert.deepEqual(passesOf(all), [0, 9, 8_192])
    assert.deepEqual(passesOf(await audience(['buyers'])), [0, 9])
    assert.deepEqual(passesOf(await audience(['prospects'])), [8_192])
    assert.deepEqual(passesOf(await audience(['buyers', 'prospects'])), [0, 9, 8_192])
    const { segment } = await client.getMemberScore({ brand, memberId: 'm-1' })
    assert.ok(passesOf(await audience([segment])).includes(0))
    assert.deepEqual(await collect(client.getAudience({ brand: 'empty', segments: ['all'] })), [])
  })

  it('refuses unknown segments naming the field', async () => {
    await assert.rejects(audience(['loyal', 'rich']), failsWith('INVALID_ARGUMENT', 'segments[1]'))
    await assert.rejects(audience([]), failsWith('INVALID_ARGUMENT', 'segments'))
  })
})

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

async function putBrand(nats: Nats): Promise<void> {
  const bucket = await nats.kv('brands')
  for (const slug of [brand, 'empty']) {
    const info = {
      brand: slug,
      name: slug,
      timeZone: 'Europe/Berlin',
      currency: 'GBP',
      passTypeId: 'pass.demo',
      teamId: 'T',
    }
    await bucket.put(slug, JSON.stringify({ ...info, googleIssuerId: '', weight: 1, maxBulkPerSecond: 0, contact: '' }))
  }
}

/** Four members, three of them with passes and purchases, and a small campaign. */
async function fill(nats: Nats): Promise<void> {
  const put = (subject: string, data: Uint8Array) => nats.jetstream.publish(subject, data)
  for (const member of ['m-1', 'm-2', 'm-3', 'm-4']) await put(subjects.member(brand), memberEvent(brand, member))
  const buy = (memberId: string, iso: string, more = {}) =>
    put(subjects.receipt(brand), receiptEvent(brand, { memberId, occurredAt: new Date(iso), ...more }))
  await buy('m-1', '2025-11-01T10:00:00Z')
  await buy('m-1', '2025-11-10T23:30:00Z')
  await buy('m-2', '2025-11-05T10:00:00Z')
  await buy('m-2', '2025-11-12T10:00:00Z')
  await buy('m-3', '2025-11-05T10:00:00Z')
  await buy('m-2', '2025-11-21T10:00:00Z', { kind: 'return', totalMinor: 400n, pointsEarned: 20n })

  // The newest version counts, whatever the order.
  await put(subjects.account(brand), accountEvent('m-1', 2n, 100n))
  await put(subjects.account(brand), accountEvent('m-1', 1n, 999n))
  await put(subjects.account(brand), accountEvent('m-2', 1n, 50n))
  await put(subjects.pass(brand), passEvent(brand, 'm-1', 0n))
  await put(subjects.pass(brand), passEvent(brand, 'm-2', 9n, 0, 1n))
  await put(subjects.pass(brand), passEvent(brand, 'm-2', 9n, 2, 2n))
  await put(subjects.pass(brand), passEvent(brand, 'm-4', 8_192n, 0))

  const accepted = PushOutcome.PUSH_OUTCOME_ACCEPTED
  const sent = pushResult(
    'c/0/0',
    [0n, 1n, 2n, 3n],
    [accepted, accepted, accepted, PushOutcome.PUSH_OUTCOME_DEAD_TOKEN],
    [0, 500, 1_000, 1_000],
  )
  await put(subjects.pushResult(brand), sent)
  await put(subjects.pushResult(brand), pushResult('c/0/0', [0n, 1n], [accepted, accepted], [2_000, 500]))
  await put(subjects.pushResult(brand), pushResult('tx', [0n], [accepted], [0], ''))
  await put(subjects.fetches(brand), fetchesEvent([0n, 1n, 1n], [65_000, 3_000, 4_000]))
}

function accountEvent(memberId: string, version: bigint, available: bigint): Uint8Array {
  return encodeEvent(brand, version, {
    $case: 'account',
    value: {
      memberId,
      available,
      pending: 0n,
      held: 0n,
      debt: 0n,
      nextExpiryAt: undefined,
      nextExpiryPoints: 0n,
      lifetimeEarned: 0n,
      cause: 'earn',
      causeId: '',
      deltaAvailable: 0n,
      currency: 'GBP',
      tier: undefined,
    },
  })
}

function pushResult(
  chunkId: string,
  passNo: bigint[],
  outcomes: PushOutcome[],
  afterMs: number[],
  campaign = campaignId,
) {
  return PushResult.encode(
    PushResult.fromPartial({
      chunkId,
      brand,
      campaignId: campaign,
      lane: campaign === '' ? 'tx' : 'bulk',
      outcomes,
      reasons: ['', 'BadDeviceToken'],
      reasonIndex: outcomes.map((outcome) => (outcome === PushOutcome.PUSH_OUTCOME_ACCEPTED ? 0 : 1)),
      atMs: afterMs.map((ms) => BigInt(pushedAtMs + ms)),
      retries: outcomes.map(() => 0),
      passNo,
      deviceLibraryId: passNo.map((no) => `device-${no}`),
      deadSinceMs: outcomes.map(() => 0n),
    }),
  ).finish()
}

function fetchesEvent(no: bigint[], afterMs: number[]): Uint8Array {
  return encodeEvent(brand, 1n, {
    $case: 'fetches',
    value: {
      no,
      campaignId: no.map(() => campaignId),
      fetchedAtMs: afterMs.map((ms) => BigInt(pushedAtMs + ms)),
      changedAtMs: no.map(() => BigInt(pushedAtMs)),
      device: no.map(() => Buffer.alloc(16, 1)),
      version: no.map(() => 7n),
      pushedAtMs: no.map(() => BigInt(pushedAtMs)),
    },
  })
}
