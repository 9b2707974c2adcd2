import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { subjects } from '@stampede/platform'
import type { Event } from '@stampede/proto/events/v1'
import { bought, enrolled, type RunningGeo, startGeo, storeAt } from './testing/running-geo.ts'

const RECEIPTS = process.env['STAMPEDE_FULL'] === '1' ? 25_000 : 2_500
const WAIT_MS = 10_000
let geo: RunningGeo
let keys = 0

before(async () => {
  geo = await startGeo()
})
after(() => geo[Symbol.asyncDispose]())

async function put(brand: string, ...stores: ReturnType<typeof storeAt>[]): Promise<void> {
  await geo.client.putStores({ idempotencyKey: `put-${keys++}`, brand, stores })
}

async function brandWith(brand: string, ...places: number[]): Promise<void> {
  await geo.addBrand(brand)
  await put(brand, ...places.map((at) => storeAt(`s${at}`, at)))
}

async function placesOf(brand: string, memberId: string): Promise<{ ids: string[]; version: bigint }> {
  const { stores, version } = await geo.client.getRelevance({ brand, memberId })
  return { ids: stores.map(({ store }) => store?.storeId ?? ''), version }
}

const idsOf = (event: Event | undefined): string[] =>
  event?.payload?.$case === 'relevance' ? event.payload.value.places.map(({ storeId }) => storeId) : ['no event']

/** Waits until the last published places of a member begin with a store. */
async function publishedHome(brand: string, memberId: string, storeId: string): Promise<Event> {
  const deadline = performance.now() + WAIT_MS
  for (;;) {
    const events = (await geo.published(brand)).filter((event) => event.aggregateId === memberId)
    const last = events.at(-1)
    if (last !== undefined && idsOf(last)[0] === storeId) return last
    assert.ok(performance.now() < deadline, `${storeId} was not published, but ${idsOf(last)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('stores are stored, replaced and listed page by page', async () => {
  await brandWith('list', 1, 2, 3, 4, 5)
  const beacons = [{ proximityUuid: randomUUID(), major: 0, minor: undefined }]
  await put('list', { ...storeAt('s3', 3), name: 'Renamed', address: 'New Street', beacons })
  const first = await geo.client.listStores({ brand: 'list', pageSize: 3 })
  assert.deepEqual(
    first.stores.map(({ name }) => name),
    ['Store s1', 'Store s2', 'Renamed'],
  )
  assert.deepEqual(first.stores[2]?.beacons, beacons)
  const second = await geo.client.listStores({ brand: 'list', pageSize: 3, pageToken: first.nextPageToken })
  assert.deepEqual([second.stores.map(({ storeId }) => storeId), second.nextPageToken], [['s4', 's5'], ''])
  await assert.rejects(geo.client.listStores({ brand: 'list', pageToken: '!' }), {
    code: 'INVALID_ARGUMENT',
    field: 'page_token',
  })
  await assert.rejects(geo.client.listStores({ brand: 'list', pageSize: -1 }), {
    code: 'INVALID_ARGUMENT',
    field: 'page_size',
  })
})

test('a repeat of a request changes nothing, not even what came after it; another body conflicts', async () => {
  await geo.addBrand('repeat')
  const request = { idempotencyKey: 'r1', brand: 'repeat', stores: [storeAt('a', 1)] }
  assert.deepEqual(await geo.client.putStores(request), { stored: 1 })
  await put('repeat', { ...storeAt('a', 1), name: 'Newer' })
  assert.deepEqual(await geo.client.putStores(request), { stored: 1 })
  const { stores } = await geo.client.listStores({ brand: 'repeat' })
  assert.equal(stores[0]?.name, 'Newer')
  await assert.rejects(geo.client.putStores({ ...request, stores: [storeAt('b', 1)] }), {
    code: 'IDEMPOTENCY_CONFLICT',
  })
})

test('one wrong store stops them all; none, too many and unknown brands are refused', async () => {
  await geo.addBrand('wrong')
  const stores = [storeAt('a', 1), { ...storeAt('b', 1), latitude: 91 }]
  const request = { idempotencyKey: 'w1', brand: 'wrong', stores }
  await assert.rejects(geo.client.putStores(request), { code: 'INVALID_ARGUMENT', field: 'stores[1].latitude' })
  assert.deepEqual((await geo.client.listStores({ brand: 'wrong' })).stores, [])
  const many = Array.from({ length: 1_001 }, (_, n) => storeAt(`s${n}`, n))
  for (const some of [[], many])
    await assert.rejects(geo.client.putStores({ ...request, stores: some }), {
      code: 'INVALID_ARGUMENT',
      field: 'stores',
    })
  await assert.rejects(geo.client.putStores({ ...request, brand: 'nobody', stores: [storeAt('a', 1)] }), {
    code: 'NOT_FOUND',
  })
})

test('the nearest stores come first, with their distance, and new ones count at once', async () => {
  await brandWith('near', 0, 10, 20, 30)
  const at = { brand: 'near', latitude: 0, longitude: 12 / 111.195 }
  const { stores } = await geo.client.findNearest({ ...at, limit: 2 })
  assert.deepEqual(
    stores.map(({ store, distanceMeters }) => [store?.storeId, Math.round(distanceMeters / 100) / 10]),
    [
      ['s10', 2],
      ['s20', 8],
    ],
  )
  await put('near', storeAt('new', 12))
  assert.equal((await geo.client.findNearest(at)).stores[0]?.store?.storeId, 'new')
  await assert.rejects(geo.client.findNearest({ ...at, limit: 101 }), { code: 'INVALID_ARGUMENT', field: 'limit' })
  await assert.rejects(geo.client.findNearest({ ...at, longitude: 181 }), {
    code: 'INVALID_ARGUMENT',
    field: 'longitude',
  })
})

test('a member gets the ten places around the store of enrolment, on the pass and in the answer', async () => {
  await brandWith('home', ...Array.from({ length: 15 }, (_, n) => n))
  await put('home', { ...storeAt('s7', 7), beacons: [{ proximityUuid: randomUUID(), major: 1, minor: 2 }] })
  const memberId = randomUUID()
  await geo.publish([enrolled('home', memberId, 's7')])
  const event = await publishedHome('home', memberId, 's7')
  const { ids, version } = await placesOf('home', memberId)
  assert.equal(ids.length, 10)
  assert.deepEqual(idsOf(event), ids)
  assert.deepEqual([event.aggregateVersion, version, event.schema], [1n, 1n, 'geo.relevance.v1'])
  assert.ok(event.payload?.$case === 'relevance')
  const { places, beacons } = event.payload.value
  assert.deepEqual(
    beacons.map(({ minor, relevantText }) => [minor, relevantText]),
    [[2, 'Near s7']],
  )
  assert.equal(places[0]?.relevantText, 'Near s7')
})

test('the most used store becomes the own one; equally used ones go by the last visit; returns do not count', async () => {
  await brandWith('visits', 0, 100, 200)
  const memberId = randomUUID()
  await geo.publish([enrolled('visits', memberId, 's0'), bought('visits', memberId, 's100', 5)])
  await publishedHome('visits', memberId, 's100')
  await geo.publish([bought('visits', memberId, 's200', 3)])
  await geo.publish([bought('visits', memberId, 's0', 9, 'return'), bought('visits', memberId, '', 9)])
  await geo.settled()
  assert.equal((await placesOf('visits', memberId)).ids[0], 's100')
  await geo.publish([bought('visits', memberId, 's200', 2)])
  await publishedHome('visits', memberId, 's200')
  assert.deepEqual((await placesOf('visits', memberId)).ids, ['s200', 's100', 's0'])
})

test('events that come again, together or later, count once and publish nothing', async () => {
  await brandWith('again', 0, 100)
  const memberId = randomUUID()
  const one = bought('again', memberId, 's0', 1)
  const two = [bought('again', memberId, 's100', 2), bought('again', memberId, 's100', 3)]
  await geo.publish([enrolled('again', memberId, ''), one, ...two])
  await publishedHome('again', memberId, 's100')
  await geo.settled()
  const before = await geo.published('again')
  await geo.publish([one, one, one, enrolled('again', memberId, '')], true)
  await geo.settled()
  assert.deepEqual(await geo.published('again'), before)
  const visits = await geo.database.query<{ store_id: string; visits: bigint }>(
    'SELECT store_id, visits FROM visit WHERE member_id = $1 ORDER BY store_id',
    [memberId],
  )
  assert.deepEqual(
    visits.map((row) => [row.store_id, row.visits]),
    [
      ['s0', 1n],
      ['s100', 2n],
    ],
  )
})

test('receipts before the enrolment, and an older enrolment after a newer one, change nothing in the end', async () => {
  await brandWith('order', 0, 100, 200)
  const [early, late] = [randomUUID(), randomUUID()]
  await geo.publish([bought('order', early, 's100', 1)])
  await publishedHome('order', early, 's100')
  await geo.publish([enrolled('order', late, 's200', 2n)])
  await publishedHome('order', late, 's200')
  await geo.publish([enrolled('order', late, 's0', 1n), enrolled('order', early, 's0')])
  await geo.settled()
  assert.equal((await placesOf('order', late)).ids[0], 's200')
  assert.equal((await placesOf('order', early)).ids[0], 's100')
})

test('a change of stores reaches the members that it concerns, and only them', async () => {
  await brandWith('moves', ...Array.from({ length: 12 }, (_, n) => n), 1_000)
  const [near, far, stranger] = [randomUUID(), randomUUID(), randomUUID()]
  await geo.publish([
    enrolled('moves', near, 's0'),
    enrolled('moves', far, 's1000'),
    enrolled('moves', stranger, 'soon'),
  ])
  await publishedHome('moves', near, 's0')
  await publishedHome('moves', far, 's1000')
  await geo.settled()
  assert.deepEqual(await placesOf('moves', stranger), { ids: [], version: 0n })

  // A new store beside s0, far from the ten of s1000.
  await put('moves', storeAt('soon', 0.5))
  const event = await publishedHome('moves', stranger, 'soon')
  assert.equal(event.aggregateVersion, 1n)
  const deadline = performance.now() + WAIT_MS
  while ((await geo.database.query('SELECT 1 FROM home_list WHERE pending')).length > 0)
    assert.ok(performance.now() < deadline, 'the change is not through')
  await geo.settled()
  const events = await geo.published('moves')
  assert.deepEqual(
    events.filter(({ aggregateId }) => aggregateId === near).map((one) => idsOf(one).slice(0, 2)),
    [
      ['s0', 's1'],
      ['s0', 'soon'],
    ],
  )
  assert.equal(events.filter(({ aggregateId }) => aggregateId === far).length, 1)
  assert.equal((await placesOf('moves', near)).version, 2n)
})

test('right after a change of stores the answer is already the new one', async () => {
  await brandWith('fresh', 0, 10)
  const memberId = randomUUID()
  await geo.publish([enrolled('fresh', memberId, 's0')])
  await publishedHome('fresh', memberId, 's0')
  await put('fresh', storeAt('s5', 5))
  assert.deepEqual(await placesOf('fresh', memberId), { ids: ['s0', 's5', 's10'], version: 2n })
})

test('an erased member carries no places any more, and nothing is known of the visits', async () => {
  await brandWith('erased', 0, 100)
  const memberId = randomUUID()
  await geo.publish([enrolled('erased', memberId, 's0'), bought('erased', memberId, 's100', 1)])
  await publishedHome('erased', memberId, 's100')
  await geo.publish([enrolled('erased', memberId, 's0', 2n, 'erased'), bought('erased', memberId, 's0', 2)])
  await geo.settled()
  assert.deepEqual((await placesOf('erased', memberId)).ids, [])
  assert.deepEqual(idsOf((await geo.published('erased')).at(-1)), [])
  assert.equal((await geo.database.query('SELECT 1 FROM visit WHERE member_id = $1', [memberId])).length, 0)
})

test('members of another brand and unknown ones are not found', async () => {
  const memberId = randomUUID()
  await brandWith('mine', 0)
  await geo.publish([enrolled('mine', memberId, 's0')])
  await publishedHome('mine', memberId, 's0')
  await assert.rejects(geo.client.getRelevance({ brand: 'list', memberId }), { code: 'NOT_FOUND' })
  await assert.rejects(geo.client.getRelevance({ brand: 'mine', memberId: 'x' }), {
    code: 'INVALID_ARGUMENT',
    field: 'member_id',
  })
})

test(`${RECEIPTS} receipts flow through, each counted once`, async (t) => {
  await brandWith('flow', ...Array.from({ length: 200 }, (_, n) => n))
  const members = Array.from({ length: RECEIPTS / 5 }, () => randomUUID())
  const messages = Array.from({ length: RECEIPTS }, (_, n) =>
    bought('flow', members[n % members.length] ?? '', `s${(n * 7) % 200}`, n % 1_000),
  )
  await geo.publish(messages)
  const startMs = performance.now()
  await geo.settled()
  t.diagnostic(
    `${RECEIPTS} receipts handled ${Math.round(performance.now() - startMs)} ms after the last was published`,
  )
  const [sum] = await geo.database.query<{ visits: bigint }>(
    `SELECT sum(visits)::bigint AS visits FROM visit WHERE brand = 'flow'`,
  )
  assert.equal(sum?.visits, BigInt(RECEIPTS))
  const { state } = await geo.nats.manager.streams.info('EVENTS', { subjects_filter: subjects.relevance('flow') })
  assert.ok((state.subjects?.[subjects.relevance('flow')] ?? 0) >= members.length)
})

// The last, because this event is tried again for seconds before the platform buries it.
test('an event that nobody can handle holds nobody up', async () => {
  await brandWith('poison', 0)
  const memberId = randomUUID()
  await geo.publish([bought('poison', 'not-a-uuid', 's0', 1), enrolled('poison', memberId, 's0')])
  await publishedHome('poison', memberId, 's0')
  const members = await geo.database.query('SELECT 1 FROM member WHERE brand = $1', ['poison'])
  assert.equal(members.length, 1)
})
