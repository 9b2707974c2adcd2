import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  connectDatabase,
  countBits,
  createLogger,
  hasBit,
  type RunningService,
  StampedeError,
  uuidv7,
} from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import type { CreateCampaignRequest, WatchCampaignResponse } from '@stampede/proto/campaigns/v1'
import { cardOf, fetchesOf, firstPasses, pushResult } from './testing/messages.ts'
import { type CampaignsClient, ServiceFixture, untilProgress } from './testing/service-fixture.ts'

const brands = ['make', 'start', 'empty', 'flow', 'pause', 'abort', 'keys', 'list', 'theirs', 'two', 'again', 'dry']

describe('campaigns', () => {
  const stack = new AsyncDisposableStack()
  let fixture: ServiceFixture
  let running: RunningService
  let client: CampaignsClient

  before(async () => {
    fixture = stack.use(await ServiceFixture.open(brands))
    running = stack.use(await fixture.replica())
    client = stack.use(fixture.client(running))
  })
  after(() => stack.disposeAsync())

  const draft = (brand: string, change: Partial<CreateCampaignRequest> = {}): CreateCampaignRequest => ({
    idempotencyKey: uuidv7(),
    brand,
    name: 'Black Friday',
    segments: ['all'],
    texts: [{ locale: 'en-GB', text: '{points} points wait' }],
    maxPerSecond: 0,
    ...change,
  })

  async function create(brand: string): Promise<string> {
    const { campaign } = await client.createCampaign(draft(brand))
    return campaign?.campaignId ?? ''
  }

  /** Starts a campaign to rows of 10 passes each. */
  async function start(brand: string, rows: number): Promise<string> {
    const audience = Array.from({ length: rows }, (_, row) => ({ base: BigInt(row * 8_192), bitmap: firstPasses(10) }))
    fixture.audiences.set(brand, audience)
    const campaignId = await create(brand)
    await client.startCampaign({ brand, campaignId, idempotencyKey: uuidv7() })
    return campaignId
  }

  const act = (brand: string, campaignId: string) => ({ brand, campaignId, idempotencyKey: uuidv7() })

  const failsWith =
    (code: string, field = '') =>
    (error: unknown): boolean =>
      error instanceof StampedeError && error.code === code && error.field === field

  it('creates a campaign once per key, and refuses the key with another body', async () => {
    const request = draft('make', { segments: ['loyal', 'new'], maxPerSecond: 7 })
    const { campaign } = await client.createCampaign(request)
    assert.equal(campaign?.status, 'draft')
    assert.deepEqual(campaign?.segments, ['loyal', 'new'])
    assert.equal(campaign?.maxPerSecond, 7)
    const [again, same] = await Promise.all([client.createCampaign(request), client.createCampaign(request)])
    assert.deepEqual([again.campaign, same.campaign], [campaign, campaign])
    await assert.rejects(
      client.createCampaign({ ...request, name: 'Other' }),
      failsWith('IDEMPOTENCY_CONFLICT', 'idempotency_key'),
    )
  })

  const wrong: readonly (readonly [string, Partial<CreateCampaignRequest>])[] = [
    ['idempotency_key', { idempotencyKey: '' }],
    ['brand', { brand: 'No Slug' }],
    ['name', { name: '' }],
    ['name', { name: 'x'.repeat(81) }],
    ['segments', { segments: [] }],
    ['segments[1]', { segments: ['all', 'everyone'] }],
    ['texts', { texts: [] }],
    ['texts[0].locale', { texts: [{ locale: '?', text: 'x' }] }],
    ['texts[0].text', { texts: [{ locale: 'en', text: '{phone}' }] }],
    ['max_per_second', { maxPerSecond: -1 }],
  ]
  for (const [field, change] of wrong) {
    it(`refuses a wrong ${field}: ${JSON.stringify(change).slice(0, 40)}`, async () => {
      await assert.rejects(client.createCampaign(draft('make', change)), failsWith('INVALID_ARGUMENT', field))
    })
  }

  it('freezes the audience without those who must not be pushed', async () => {
    const brand = 'start'
    await fixture.publish(
      ...cardOf(brand, 0n),
      ...cardOf(brand, 1n, { marketingConsent: false }),
      ...cardOf(brand, 2n, { status: 'blocked' }),
      ...cardOf(brand, 8_192n, { status: 'erased' }),
      // Held back, but not of the audience.
      ...cardOf(brand, 99n, { marketingConsent: false }),
    )
    await reachKnows(brand, 5)
    fixture.audiences.set(brand, [
      { base: 0n, bitmap: firstPasses(5) },
      { base: 8_192n, bitmap: firstPasses(1) },
      { base: 16_384n, bitmap: firstPasses(3) },
    ])
    const campaignId = await create(brand)
    const call = act(brand, campaignId)
    const [{ campaign }] = await Promise.all([client.startCampaign(call), client.startCampaign(call)])
    assert.equal(campaign?.status, 'running')
    assert.deepEqual([campaign?.progress?.audience, campaign?.progress?.excluded], [6n, 3n])
    assert.equal(campaign?.progress?.chunks, 2)
    const chunks = await fixture.chunks(brand, 2)
    assert.deepEqual(
      chunks.map(({ index, base, bitmap }) => [index, base, countBits(bitmap)]),
      [
        [0, 0n, 3],
        [1, 16_384n, 3],
      ],
    )
    assert.deepEqual(
      [0, 1, 2, 3].map((index) => hasBit(chunks[0]?.bitmap ?? new Uint8Array(), index)),
      [true, false, false, true],
    )
    assert.equal(chunks[0]?.campaignSeq, 1n)
    assert.equal(chunks[0]?.message?.texts[0]?.text, '{points} points wait')
    await fixture.control(brand, campaignId, 'running')
    const other = await client.startCampaign(act(brand, campaignId))
    assert.equal(other.campaign?.status, 'running')
    assert.equal(await fixture.released(brand), 2)
  })

  async function reachKnows(brand: string, passes: number): Promise<void> {
    await until('the cards are known', async () => {
      const [row] = await database().query<{ n: number }>(
        'SELECT count(*)::int AS n FROM pass JOIN member USING (brand, member_id) WHERE brand = $1',
        [brand],
      )
      return row?.n === passes
    })
  }

  let opened: ReturnType<typeof connectDatabase> | undefined
  function database() {
    const logger = createLogger('test', 'silent')
    opened ??= stack.use(connectDatabase({ url: fixture.postgresUrl, schema: 'campaigns', logger }))
    return opened
  }

  it('a campaign to nobody is done at once, and a repeated start says so too', async () => {
    fixture.audiences.set('empty', [])
    const campaignId = await create('empty')
    const call = act('empty', campaignId)
    assert.equal((await client.startCampaign(call)).campaign?.status, 'done')
    assert.equal((await client.startCampaign(call)).campaign?.status, 'done')
    await assert.rejects(client.startCampaign(act('empty', campaignId)), failsWith('FAILED_PRECONDITION'))
    await fixture.control('empty', campaignId, undefined)
    const seen = await watch('empty', campaignId)
    assert.deepEqual(
      seen.map(({ status }) => status),
      ['done'],
    )
  })

  it('stays a draft when analytics refuses', async () => {
    const campaignId = await create('dry')
    await assert.rejects(client.startCampaign(act('dry', campaignId)), failsWith('FAILED_PRECONDITION'))
    assert.equal((await client.getCampaign({ brand: 'dry', campaignId })).campaign?.status, 'draft')
  })

  async function watch(brand: string, campaignId: string): Promise<readonly WatchCampaignResponse[]> {
    const seen: WatchCampaignResponse[] = []
    for await (const item of client.watchCampaign({ brand, campaignId })) seen.push(item)
    return seen
  }

  it('goes from start to done, and the watch ends when every phone has come', async () => {
    const brand = 'flow'
    const campaignId = await start(brand, 3)
    const watched = watch(brand, campaignId)
    await fixture.chunks(brand, 3)
    await fixture.publish(
      fetchesOf(brand, campaignId, [0n]),
      pushResult({ brand, campaignId, place: '0/1of2', passNo: [0n, 1n] }),
      pushResult({ brand, campaignId, place: '0/0of2', passNo: [2n], failed: 1 }),
      pushResult({ brand, campaignId, place: '1/0of0' }),
      pushResult({ brand, campaignId, place: '2/0of1', passNo: [16_384n] }),
    )
    await untilProgress(client, brand, campaignId, 'done', (_, status) => status === 'done')
    await fixture.control(brand, campaignId, undefined)
    await fixture.publish(fetchesOf(brand, campaignId, [0n, 1n, 2n, 16_384n]))
    const seen = await watched
    const last = seen.at(-1)
    assert.equal(seen[0]?.status, 'running')
    assert.equal(last?.status, 'done')
    assert.deepEqual(last?.progress, {
      audience: 30n,
      excluded: 0n,
      recipients: 5n,
      sent: 5n,
      accepted: 4n,
      failed: 1n,
      aborted: 0n,
      fetched: 4n,
      fetchedWithin60s: 4n,
      failuresByReason: { Unregistered: 1n },
      duplicates: 0n,
      chunks: 3,
      chunksReleased: 3,
      chunksDone: 3,
    })
    await assert.rejects(client.pauseCampaign(act(brand, campaignId)), failsWith('FAILED_PRECONDITION'))
  })

  it('a paused campaign releases nothing until it is resumed', async () => {
    const brand = 'pause'
    const campaignId = await start(brand, 34)
    await fixture.chunks(brand, 32)
    const paused = await client.pauseCampaign(act(brand, campaignId))
    assert.equal(paused.campaign?.status, 'paused')
    await fixture.control(brand, campaignId, 'paused')
    await fixture.publish(
      pushResult({ brand, campaignId, place: '0/0of0' }),
      pushResult({ brand, campaignId, place: '1/0of0' }),
    )
    const counted = (done: number) => untilProgress(client, brand, campaignId, 'counted', (p) => p.chunksDone === done)
    await counted(2)
    assert.equal(await fixture.released(brand), 32)
    await client.resumeCampaign(act(brand, campaignId))
    await fixture.control(brand, campaignId, 'running')
    assert.equal((await fixture.chunks(brand, 34)).length, 34)
    await client.abortCampaign(act(brand, campaignId))
  })

  it('an aborted campaign stays aborted and counts what was in flight', async () => {
    const brand = 'abort'
    const campaignId = await start(brand, 40)
    await fixture.chunks(brand, 32)
    const { campaign } = await client.abortCampaign(act(brand, campaignId))
    assert.equal(campaign?.status, 'aborted')
    assert.ok(campaign?.finishedAt)
    await fixture.control(brand, campaignId, 'aborted')
    const watched = watch(brand, campaignId)
    for (let index = 0; index < 32; index += 1)
      await fixture.publish(pushResult({ brand, campaignId, place: `${index}/0of1`, aborted: 3 }))
    const last = (await watched).at(-1)
    assert.deepEqual([last?.status, last?.progress?.aborted, last?.progress?.recipients], ['aborted', 96n, 96n])
    assert.equal(last?.progress?.chunksReleased, 32)
    for (const method of ['startCampaign', 'pauseCampaign', 'resumeCampaign'] as const)
      await assert.rejects(client[method](act(brand, campaignId)), failsWith('FAILED_PRECONDITION'))
    assert.equal((await client.abortCampaign(act(brand, campaignId))).campaign?.status, 'aborted')
  })

  it('a late repeat of a pause does not pause again, and its key serves no other call', async () => {
    const brand = 'keys'
    const campaignId = await start(brand, 1)
    const call = act(brand, campaignId)
    await client.pauseCampaign(call)
    await client.resumeCampaign(act(brand, campaignId))
    assert.equal((await client.pauseCampaign(call)).campaign?.status, 'running')
    await assert.rejects(client.abortCampaign(call), failsWith('IDEMPOTENCY_CONFLICT', 'idempotency_key'))
    await fixture.control(brand, campaignId, 'running')
    await client.abortCampaign(act(brand, campaignId))
  })

  it('lists campaigns newest first, in pages', async () => {
    const ids: string[] = []
    for (let index = 0; index < 5; index += 1) ids.push(await create('list'))
    const listed: string[] = []
    let pageToken = ''
    let pages = 0
    do {
      const page = await client.listCampaigns({ brand: 'list', pageSize: 2, pageToken })
      listed.push(...page.campaigns.map(({ campaignId }) => campaignId))
      pageToken = page.nextPageToken
      pages += 1
    } while (pageToken !== '')
    assert.deepEqual([listed, pages], [ids.toReversed(), 3])
    const tooMany = client.listCampaigns({ brand: 'list', pageSize: 101 })
    await assert.rejects(tooMany, failsWith('INVALID_ARGUMENT', 'page_size'))
    const badToken = client.listCampaigns({ brand: 'list', pageToken: 'x' })
    await assert.rejects(badToken, failsWith('INVALID_ARGUMENT', 'page_token'))
  })

  it("answers for another brand's campaign as for one that is not there", async () => {
    const campaignId = await create('list')
    const key = await fixture.marketerKey('theirs')
    await using theirs = fixture.client(running, key)
    await until('the key is known', async () => {
      const answer = await theirs.listCampaigns({ brand: 'theirs' }).catch(() => undefined)
      return answer !== undefined
    })
    for (const brand of ['list', 'theirs', 'nowhere']) {
      await assert.rejects(theirs.getCampaign({ brand, campaignId }), failsWith('NOT_FOUND'))
      await assert.rejects(theirs.startCampaign(act(brand, campaignId)), failsWith('NOT_FOUND'))
      await assert.rejects(theirs.abortCampaign(act(brand, campaignId)), failsWith('NOT_FOUND'))
      await assert.rejects(Array.fromAsync(theirs.watchCampaign({ brand, campaignId })), failsWith('NOT_FOUND'))
    }
    await assert.rejects(theirs.createCampaign(draft('list')), failsWith('NOT_FOUND'))
    await assert.rejects(client.createCampaign(draft('nowhere')), failsWith('NOT_FOUND'))
  })

  it('two replicas release each chunk once', async () => {
    const brand = 'two'
    await using second = await fixture.replica()
    await using other = fixture.client(second)
    const campaignId = await start(brand, 100)
    const answered = new Set<number>()
    while (answered.size < 100) {
      const chunks = await fixture.chunks(brand, answered.size + 1)
      for (const { index } of chunks) {
        if (answered.has(index)) continue
        answered.add(index)
        await fixture.publish(
          pushResult({ brand, campaignId, place: `${index}/0of1`, passNo: [BigInt(index * 8_192)] }),
        )
      }
      assert.ok((await fixture.released(brand)) - answered.size <= 32)
    }
    const end = await untilProgress(other, brand, campaignId, 'done', (_, status) => status === 'done')
    assert.deepEqual([end.recipients, end.duplicates, end.chunksDone], [100n, 0n, 100])
    assert.equal(await fixture.released(brand), 100)
    assert.equal(new Set((await fixture.chunks(brand, 100)).map(({ index }) => index)).size, 100)
  })

  it('goes on where it was after a restart', async () => {
    const brand = 'again'
    const campaignId = await start(brand, 40)
    await fixture.chunks(brand, 32)
    await running[Symbol.asyncDispose]()
    // Results and phones come while nobody is there.
    for (let index = 0; index < 32; index += 1)
      await fixture.publish(pushResult({ brand, campaignId, place: `${index}/0of1`, passNo: [BigInt(index * 8_192)] }))
    await fixture.publish(fetchesOf(brand, campaignId, [0n, 8_192n]))
    running = stack.use(await fixture.replica())
    client = stack.use(fixture.client(running))
    await fixture.chunks(brand, 40)
    for (let index = 32; index < 40; index += 1)
      await fixture.publish(pushResult({ brand, campaignId, place: `${index}/0of0` }))
    const end = await untilProgress(
      client,
      brand,
      campaignId,
      'over',
      (p, status) => status === 'done' && p.fetched === 2n,
    )
    assert.deepEqual([end.recipients, end.accepted, end.duplicates, end.chunksReleased], [32n, 32n, 0n, 40])
    assert.equal(await fixture.released(brand), 40)
  })
})
