import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { testKernelMetrics } from '../testing/kernel-metrics.ts'
import { testScheduler } from '../testing/scheduler.ts'
import { PermanentError, type Reconciled, TemporaryError } from './outcome.ts'
import { createQueue, type QueueOptions } from './queue.ts'

interface Work {
  readonly key: string
  readonly end: (result?: Reconciled) => void
  readonly fail: (error: unknown) => void
}

/** A queue whose work ends when the test says so. */
function underTest(overrides: Partial<QueueOptions> = {}) {
  const scheduler = testScheduler()
  const metrics = testKernelMetrics()
  const started: Work[] = []
  const retries: (number | undefined)[] = []
  const queue = createQueue({
    name: 'test',
    concurrency: 2,
    backoff: { firstMs: 1_000, capMs: 4_000 },
    keysMax: 100,
    scheduler,
    metrics: metrics.kernel,
    onFailure: (_key, _error, retryMs) => void retries.push(retryMs),
    handle: (key) => {
      const { promise, resolve, reject } = Promise.withResolvers<Reconciled>()
      started.push({ key, end: (result = {}) => resolve(result), fail: reject })
      return promise
    },
    ...overrides,
  })
  const keys = (): readonly string[] => started.map(({ key }) => key)
  const work = (index: number): Work => {
    const found = started[index]
    assert.ok(found, `no work number ${index} was started`)
    return found
  }
  return { queue, scheduler, metrics, started, retries, keys, work }
}

test('a key that waits is not queued a second time', async () => {
  const { queue, keys, work } = underTest({ concurrency: 1 })
  queue.add('a')
  queue.add('b')
  queue.add('b')
  assert.equal(queue.waiting, 1)
  work(0).end()
  await nextTurn()
  work(1).end()
  await nextTurn()
  assert.deepEqual(keys(), ['a', 'b'])
})

test('a key that is added while it runs, even often, runs once more afterwards', async () => {
  const { queue, keys, work } = underTest()
  queue.add('a')
  queue.add('a')
  queue.add('a')
  assert.deepEqual(keys(), ['a'])
  work(0).end()
  await nextTurn()
  assert.deepEqual(keys(), ['a', 'a'])
  work(1).end()
  await nextTurn()
  assert.deepEqual(keys(), ['a', 'a'])
})

test('no more keys run at a time than there are workers, the oldest first', async () => {
  const { queue, keys, work } = underTest()
  for (const key of ['a', 'b', 'c', 'd']) queue.add(key)
  assert.deepEqual(keys(), ['a', 'b'])
  work(1).end()
  await nextTurn()
  assert.deepEqual(keys(), ['a', 'b', 'c'])
})

test('failures of one key wait longer and longer up to the cap, and success starts anew', async () => {
  const { queue, scheduler, started, retries } = underTest()
  queue.add('a')
  for (let failures = 1; failures <= 4; failures += 1) {
    started.at(-1)?.fail(new Error('no'))
    await nextTurn()
    assert.equal(started.length, failures)
    await scheduler.advance(4_000)
  }
  assert.deepEqual(retries, [1_000, 2_000, 4_000, 4_000])
  started.at(-1)?.end()
  queue.add('a')
  await nextTurn()
  started.at(-1)?.fail(new Error('no'))
  await nextTurn()
  assert.equal(retries.at(-1), 1_000)
})

test('a temporary error says itself when to try again, and does not grow the waits', async () => {
  const { queue, scheduler, started, retries, keys } = underTest()
  queue.add('a')
  started[0]?.fail(new TemporaryError('busy', 7_000))
  await nextTurn()
  await scheduler.advance(6_999)
  assert.equal(keys().length, 1)
  await scheduler.advance(1)
  started[1]?.fail(new Error('no'))
  await nextTurn()
  assert.deepEqual(retries, [7_000, 1_000])
})

test('a permanent error waits for the next change', async () => {
  const { queue, scheduler, started, retries, keys } = underTest()
  queue.add('a')
  started[0]?.fail(new PermanentError('cannot be'))
  await nextTurn()
  await scheduler.advance(86_400_000)
  assert.deepEqual([keys(), retries], [['a'], [undefined]])
  queue.add('a')
  assert.deepEqual(keys(), ['a', 'a'])
})

test('of several delays of a key the shortest counts', async () => {
  const { queue, scheduler, keys } = underTest()
  queue.addAfter('a', 5_000)
  queue.addAfter('a', 2_000)
  queue.addAfter('a', 9_000)
  await scheduler.advance(1_999)
  assert.deepEqual(keys(), [])
  await scheduler.advance(1)
  assert.deepEqual(keys(), ['a'])
  await scheduler.advance(60_000)
  assert.deepEqual(keys(), ['a'])
})

test('a key that starts forgets its delay: the work decides anew', async () => {
  const { queue, scheduler, keys, work } = underTest()
  queue.addAfter('a', 5_000)
  queue.add('a')
  work(0).end({ requeueAfterMs: 20_000 })
  await nextTurn()
  await scheduler.advance(19_999)
  assert.deepEqual(keys(), ['a'])
  await scheduler.advance(1)
  assert.deepEqual(keys(), ['a', 'a'])
})

test('a full queue refuses a new key, counts it, and still takes a key that it knows', async () => {
  const { queue, metrics } = underTest({ keysMax: 2, concurrency: 1 })
  for (const key of ['runs', 'a']) queue.add(key)
  queue.addAfter('b', 1_000)
  queue.add('c')
  queue.addAfter('d', 1_000)
  queue.add('b')
  assert.equal(queue.waiting, 2)
  assert.equal(await metrics.value('queue_dropped_keys_total'), 2)
})

test('draining lets what runs end, and starts nothing more', async () => {
  const { queue, scheduler, keys, work } = underTest({ concurrency: 1 })
  for (const key of ['a', 'b']) queue.add(key)
  queue.addAfter('c', 1_000)
  const drained = queue.drain(10_000)
  queue.add('d')
  work(0).end({ requeueAfterMs: 1 })
  assert.equal(await drained, true)
  await scheduler.advance(60_000)
  assert.deepEqual(keys(), ['a'])
})

test('draining gives up at its deadline', async () => {
  const { queue, scheduler } = underTest()
  queue.add('a')
  const drained = queue.drain(10_000)
  await scheduler.advance(10_000)
  assert.equal(await drained, false)
})

test('the depth and the failures can be seen', async () => {
  const { queue, metrics, work } = underTest({ concurrency: 1 })
  for (const key of ['a', 'b', 'c']) queue.add(key)
  assert.equal(await metrics.value('queue_keys_count', { controller: 'test' }), 2)
  work(0).fail(new Error('no'))
  await nextTurn()
  assert.equal(await metrics.value('queue_keys_count'), 1)
  assert.equal(await metrics.value('retries_total', { controller: 'test' }), 1)
})

test('the wait of a key counts from its first add', async () => {
  const { queue, scheduler, metrics, work } = underTest({ concurrency: 1 })
  queue.add('runs')
  queue.add('a')
  await scheduler.advance(5_000)
  queue.add('a')
  await scheduler.advance(5_000)
  work(0).end()
  await nextTurn()
  const shown = await metrics.metrics.registry.getSingleMetricAsString('stampede_operator_queue_seconds')
  assert.match(shown, /queue_seconds_sum\{controller="test"\} 10\n/)
})
