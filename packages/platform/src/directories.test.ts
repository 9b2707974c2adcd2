import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { expectBrand, watchBrands } from './brands.ts'
import { putCapacity, putControl, removeControl, watchCapacity, watchControl } from './control.ts'
import { connectNats, type Nats } from './nats.ts'
import { capacityTtlMs, ensureStreams } from './streams.ts'
import { subjects } from './subjects.ts'
import { type TestNats, testClock, testNats, testParts, until } from './testing/index.ts'

const { logger } = testParts()

describe('directories', () => {
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

  const putBrand = (brand: string, name: string) =>
    nats.jetstream.publish(subjects.brandKey(brand), JSON.stringify({ brand, name, weight: 20 }))

  test('streams and buckets can be made by several services at the same time and again', async () => {
    await Promise.all([ensureStreams(nats), ensureStreams(nats), ensureStreams(nats)])
    const google = await nats.manager.streams.info('PUSH_GOOGLE')
    assert.equal(google.config.max_msgs_per_subject, 1)
    assert.equal(google.config.retention, 'workqueue')
    await nats.manager.streams.update('EVENTS', { max_age: 1_000_000_000_000 })
    await ensureStreams(nats)
    const events = await nats.manager.streams.info('EVENTS')
    assert.equal(events.config.max_age, 7 * 86_400 * 1_000_000_000)
    assert.equal((await nats.manager.streams.info('KV_capacity')).config.max_age, capacityTtlMs * 1_000_000)
  })

  test('a brand is waited for until it arrives, and one that never does is not there', async () => {
    await using directory = await watchBrands(nats)
    const arrives = expectBrand(directory, 'late')
    await putBrand('late', 'Late')
    await arrives
    assert.equal(directory.get('late')?.name, 'Late')
    await assert.rejects(expectBrand(directory, 'never'), { code: 'NOT_FOUND' })
    await nats.jetstream.publish(subjects.brandKey('late'), '')
    await until('the brand is gone', () => directory.get('late') === undefined)
  })

  test('brands are complete at the start, follow changes, and lose what is deleted or no brand', async () => {
    await putBrand('acme', 'Acme')
    await putBrand('zeta', 'Zeta')
    await using brands = await watchBrands(nats)
    assert.deepEqual(
      brands.list().map(({ brand }) => brand),
      ['acme', 'zeta'],
    )
    assert.deepEqual(brands.get('acme'), {
      brand: 'acme',
      name: 'Acme',
      timeZone: 'UTC',
      currency: '',
      passTypeId: '',
      teamId: '',
      googleIssuerId: '',
      weight: 20,
      maxBulkPerSecond: 0,
      contact: '',
      pushType: 'background',
      pushPriority: 5,
      pushExpirationSeconds: 86_400,
      domain: '',
    })
    const changes: string[] = []
    brands.onChange((brand, info) => changes.push(`${brand} ${info?.name}`))
    await putBrand('acme', 'Acme II')
    await nats.jetstream.publish(subjects.brandKey('zeta'), '')
    await nats.jetstream.publish(subjects.brandKey('odd'), 'not json')
    await until('all changes are seen', () => changes.length === 3)
    assert.deepEqual(changes, ['acme Acme II', 'zeta undefined', 'odd undefined'])
    assert.deepEqual(
      brands.list().map(({ name }) => name),
      ['Acme II'],
    )
  })

  test('a directory keeps what it knows while the broker is away and follows it again after', async () => {
    await putBrand('keep', 'Keep')
    await using brands = await watchBrands(nats)
    await server.stop(true)
    assert.equal(brands.get('keep')?.name, 'Keep')
    await server.start()
    await until('the connection is back', () => nats.isConnected())
    await putBrand('keep', 'Kept')
    await until('the change is seen', () => brands.get('keep')?.name === 'Kept', 60_000)
  })

  test('a campaign is paused everywhere, and forgotten when it is over', async () => {
    await using control = await watchControl(nats)
    assert.equal(control.get('acme', 'c1'), undefined)
    await putControl(nats, 'acme', 'c1', { status: 'paused' })
    await until('the pause is seen', () => control.get('acme', 'c1')?.status === 'paused')
    await using late = await watchControl(nats)
    assert.deepEqual(late.get('acme', 'c1'), { status: 'paused' })
    await removeControl(nats, 'acme', 'c1')
    await until('it is forgotten', () => control.get('acme', 'c1') === undefined)
  })

  test('capacities add up, and a replica that fell silent no longer counts', async () => {
    const clock = testClock()
    await using capacity = await watchCapacity(nats, clock)
    assert.equal(capacity.totalPerSecond(), 0)
    await putCapacity(nats, 'render-0.local', { passesPerSecond: 700 })
    await putCapacity(nats, 'render-1.local', { passesPerSecond: 300 })
    await until('both are seen', () => capacity.totalPerSecond() === 1_000)
    clock.advance(capacityTtlMs - 1)
    await putCapacity(nats, 'render-1.local', { passesPerSecond: 400 })
    await until('the new one is seen', () => capacity.totalPerSecond() === 1_100)
    clock.advance(2)
    assert.equal(capacity.totalPerSecond(), 400)
  })
})
