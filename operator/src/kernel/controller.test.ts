import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { startFakeApi } from '../testing/fake-api.ts'
import { quickTimings } from '../testing/follower.ts'
import { testKernelMetrics } from '../testing/kernel-metrics.ts'
import { type Widget, widgets } from '../testing/widgets.ts'
import {
  type ControllerOptions,
  ownerKeys,
  type Reconcile,
  startController,
  watchDependents,
  watchObjects,
} from './controller.ts'
import { startInformer } from './informer.ts'
import { keyOf, parseKey } from './object.ts'
import { PermanentError, TemporaryError } from './outcome.ts'
import { header, type SecretObject, secrets } from './resource.ts'
import { systemScheduler } from './scheduler.ts'
import { createStatusWriter } from './status.ts'
import { createStore } from './store.ts'
import { connectKube } from './transport.ts'

const namespace = 'default'
const widget = (name: string, size = 1): Widget => ({ ...header(widgets, { namespace, name }), spec: { size } })
const secretOf = (name: string, owner: string): SecretObject => {
  const reference = { apiVersion: 'test.stampede.dev/v1', kind: 'Widget', name: owner, uid: 'u' }
  return { ...header(secrets, { namespace, name, ownerReferences: [reference] }), type: 'Opaque' }
}

/** A fake server, caches of widgets and of their Secrets, and a controller with that reconcile. */
async function underTest(
  parts: AsyncDisposableStack,
  reconcile: Reconcile,
  overrides: Partial<ControllerOptions> = {},
  resyncMs = quickTimings.resyncMs,
) {
  const api = parts.use(await startFakeApi())
  const metrics = testKernelMetrics()
  const transport = parts.use(connectKube({ loadConfig: () => api.config, metrics: metrics.kernel }))
  const store = createStore(transport, { fieldManager: 'test' })
  const shared = { scheduler: systemScheduler, metrics: metrics.kernel, logger: createLogger('test', 'silent') }
  const common = { transport, store, namespace, timings: { ...quickTimings, resyncMs }, ...shared }
  const widgetCache = parts.use(startInformer({ ...common, resource: widgets }))
  const secretCache = parts.use(startInformer({ ...common, resource: secrets }))
  const controller = parts.use(
    startController({
      name: 'widgets',
      sources: [watchObjects(widgetCache), watchDependents(secretCache, (object) => ownerKeys(object, 'Widget'))],
      reconcile,
      backoff: { firstMs: 10, capMs: 50 },
      ...shared,
      ...overrides,
    }),
  )
  return { api, store, metrics, widgetCache, controller }
}

test('every object is reconciled, and again when its spec changes, but not for its own status', async () => {
  await using parts = new AsyncDisposableStack()
  const seen: string[] = []
  const world = await underTest(parts, async (key) => {
    const object = world.widgetCache.get(key)
    assert.ok(object)
    const size = object.spec?.size ?? 0
    seen.push(`${key} ${size}`)
    await createStatusWriter(world.store, world.metrics.kernel).write(widgets, object, { seen: size })
    return {}
  })
  const created = await world.store.create(widgets, widget('a'))
  await until(
    'the status is written',
    async () => (await world.store.get(widgets, parseKey(keyOf(created))))?.status?.seen === 1,
  )
  await until('the cache has it', () => world.widgetCache.get('default/a')?.status?.seen === 1)
  await world.store.patch(widgets, { namespace, name: 'a' }, { spec: { size: 2 } })
  await until('the change is seen', () => seen.length === 2)
  assert.deepEqual(seen, ['default/a 1', 'default/a 2'])
})

test('a change of a dependent reconciles its owner, also when it is deleted', async () => {
  await using parts = new AsyncDisposableStack()
  const seen: string[] = []
  const world = await underTest(parts, async (key) => {
    seen.push(key)
    return {}
  })
  await world.store.create(secrets, secretOf('s', 'owner'))
  await until('the owner is reconciled', () => seen.length === 1)
  await world.store.delete(secrets, { namespace, name: 's' })
  await until('the owner is reconciled', () => seen.length === 2)
  assert.deepEqual(seen, ['default/owner', 'default/owner'])
})

test('nothing is reconciled before every cache has its first list', async () => {
  await using parts = new AsyncDisposableStack()
  const synced = Promise.withResolvers<void>()
  const seen: string[] = []
  const add: ((key: string) => void)[] = []
  const world = await underTest(
    parts,
    async (key) => {
      seen.push(key)
      return {}
    },
    { sources: [{ synced: synced.promise, connect: (call) => void add.push(call) }] },
  )
  await world.widgetCache.synced
  assert.equal(add.length, 0)
  synced.resolve()
  await until('it is connected', () => add.length === 1)
  add[0]?.('default/a')
  await until('it is reconciled', () => seen.length === 1)
})

test('failures are tried again, temporary ones at their time, permanent ones at the next change', async () => {
  await using parts = new AsyncDisposableStack()
  const tries: string[] = []
  const errors = [new Error('no'), new TemporaryError('busy', 30), new PermanentError('never')]
  const world = await underTest(parts, async (key) => {
    tries.push(key)
    const error = errors.shift()
    if (error !== undefined) throw error
    return {}
  })
  await world.store.create(widgets, widget('a'))
  await until('it failed for good', () => tries.length === 3)
  await world.store.patch(widgets, { namespace, name: 'a' }, { spec: { size: 2 } })
  await until('it succeeds', async () => (await world.metrics.value('reconcile_last_success_timestamp_seconds')) > 0)
  assert.equal(tries.length, 4)
  for (const outcome of ['failed', 'temporary', 'permanent', 'done']) {
    const found = await world.metrics.metrics.registry.getSingleMetricAsString('stampede_operator_reconcile_seconds')
    assert.match(found, new RegExp(`reconcile_seconds_count\\{[^}]*outcome="${outcome}"[^}]*\\} 1`))
  }
})

test('a requeue comes back after its time', async () => {
  await using parts = new AsyncDisposableStack()
  const at: number[] = []
  const world = await underTest(parts, async () => {
    at.push(performance.now())
    return { requeueAfterMs: 100 }
  })
  await world.store.create(widgets, widget('a'))
  await until('three rounds', () => at.length === 3)
  assert.ok(at.every((time, index) => index === 0 || time - (at[index - 1] ?? 0) >= 99))
})

test('a reconcile that does not end is told to at its deadline, and tried again', async () => {
  await using parts = new AsyncDisposableStack()
  const reasons: string[] = []
  const world = await underTest(
    parts,
    async (_key, { signal }) => {
      if (reasons.length > 0) return {}
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      reasons.push(String(signal.reason))
      throw signal.reason
    },
    { deadlineMs: 50 },
  )
  await world.store.create(widgets, widget('a'))
  await until('it succeeds', async () => (await world.metrics.value('reconcile_last_success_timestamp_seconds')) > 0)
  assert.deepEqual(reasons, ['Error: the reconcile did not end within 50 ms'])
})

test('stopping tells what runs, waits for it, and starts nothing more', async () => {
  await using parts = new AsyncDisposableStack()
  let ended = 0
  let started = 0
  const world = await underTest(
    parts,
    async (_key, { signal }) => {
      started += 1
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      ended += 1
      return { requeueAfterMs: 1 }
    },
    { concurrency: 2 },
  )
  for (const name of ['a', 'b', 'c']) await world.store.create(widgets, widget(name))
  await until('two run', () => started === 2)
  await world.controller[Symbol.asyncDispose]()
  assert.deepEqual([started, ended], [2, 2])
  world.controller.enqueue('default/d')
  assert.equal(started, 2)
})

test('the resync reconciles everything, and enqueue what no cache knows', async () => {
  await using parts = new AsyncDisposableStack()
  const seen: string[] = []
  const reconcile: Reconcile = async (key) => {
    seen.push(key)
    return {}
  }
  const world = await underTest(parts, reconcile, {}, 200)
  await world.store.create(widgets, widget('a'))
  await until('two resyncs', () => seen.length >= 3)
  world.controller.enqueue('default/elsewhere', 10)
  await until('it is reconciled', () => seen.includes('default/elsewhere'))
})
