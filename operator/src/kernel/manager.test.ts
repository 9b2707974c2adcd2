import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger, systemClock } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { startFakeApi } from '../testing/fake-api.ts'
import { testKernelMetrics } from '../testing/kernel-metrics.ts'
import { runManager } from './manager.ts'
import { leases } from './resource.ts'
import { systemScheduler } from './scheduler.ts'
import { createStore } from './store.ts'
import { connectKube } from './transport.ts'

const lease = { namespace: 'default', name: 'operator' }

/** Managers on one lease; what they do, in order. */
async function underTest(parts: AsyncDisposableStack) {
  const api = parts.use(await startFakeApi())
  const metrics = testKernelMetrics()
  const transport = parts.use(connectKube({ loadConfig: () => api.config, metrics: metrics.kernel }))
  const store = createStore(transport, { fieldManager: 'test' })
  const done: string[] = []
  const holder = async (): Promise<string> => (await store.get(leases, lease))?.spec?.holderIdentity ?? ''
  const run = (identity: string, signal: AbortSignal, stopWork: () => Promise<void> = async () => undefined) =>
    runManager(
      {
        transport,
        lease,
        identity,
        timings: { durationMs: 60_000, renewDeadlineMs: 30_000, retryMs: 20 },
        clock: systemClock,
        scheduler: systemScheduler,
        metrics: metrics.kernel,
        logger: createLogger('manager', 'silent'),
        lead: async () => {
          done.push(`${identity} starts, ${await holder()} holds`)
          const stop = async (): Promise<void> => {
            await stopWork()
            done.push(`${identity} stops, ${await holder()} holds`)
          }
          return { [Symbol.asyncDispose]: stop }
        },
      },
      signal,
    )
  return { store, done, holder, run }
}

test('work starts after the lease is held and stops before it is let go, then the next one leads', async () => {
  await using parts = new AsyncDisposableStack()
  const { done, holder, run } = await underTest(parts)
  const stops = [new AbortController(), new AbortController()] as const
  const first = run('one', stops[0].signal)
  await until('the first leads', () => done.length === 1)
  const second = run('two', stops[1].signal)
  stops[0].abort()
  assert.deepEqual(await first, { how: 'stopped' })
  await until('the second leads', () => done.length === 3)
  stops[1].abort()
  assert.deepEqual(await second, { how: 'stopped' })
  assert.deepEqual(done, [
    'one starts, one holds',
    'one stops, one holds',
    'two starts, two holds',
    'two stops, two holds',
  ])
  assert.equal(await holder(), '')
})

test('a lost lease stops all work and says why', async () => {
  await using parts = new AsyncDisposableStack()
  const { store, done, holder, run } = await underTest(parts)
  const running = run('one', new AbortController().signal)
  await until('it leads', () => done.length === 1)
  await store.patch(leases, lease, { spec: { holderIdentity: 'thief' } })
  const end = await running
  assert.ok(end.how === 'lost' && String(end.reason).includes('taken by thief'))
  assert.deepEqual(done, ['one starts, one holds', 'one stops, thief holds'])
  assert.equal(await holder(), 'thief')
})

test('who waits for the lease can be stopped', async () => {
  await using parts = new AsyncDisposableStack()
  const { done, run } = await underTest(parts)
  const stop = new AbortController()
  const first = run('one', stop.signal)
  await until('it leads', () => done.length === 1)
  const waits = new AbortController()
  const second = run('two', waits.signal)
  waits.abort()
  assert.deepEqual(await second, { how: 'stopped' })
  stop.abort()
  await first
  assert.equal(done.length, 2)
})

test('work that cannot be stopped leaves the lease to expire', async () => {
  await using parts = new AsyncDisposableStack()
  const { done, holder, run } = await underTest(parts)
  const stop = new AbortController()
  const running = run('one', stop.signal, () => Promise.reject(new Error('it does not end')))
  await until('it leads', () => done.length === 1)
  stop.abort()
  await assert.rejects(running, /it does not end/)
  assert.equal(await holder(), 'one')
})

test('after a loss nobody waits for work that does not stop', async () => {
  await using parts = new AsyncDisposableStack()
  const { store, done, run } = await underTest(parts)
  const running = run('one', new AbortController().signal, () => new Promise(() => undefined))
  await until('it leads', () => done.length === 1)
  await store.patch(leases, lease, { spec: { holderIdentity: 'thief' } })
  assert.equal((await running).how, 'lost')
})
