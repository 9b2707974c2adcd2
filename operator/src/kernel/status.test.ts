import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startFakeApi } from '../testing/fake-api.ts'
import { testKernelMetrics } from '../testing/kernel-metrics.ts'
import { widgets } from '../testing/widgets.ts'
import { isKubeError } from './errors.ts'
import { header } from './resource.ts'
import { createStatusWriter } from './status.ts'
import { createStore } from './store.ts'
import { connectKube } from './transport.ts'

async function underTest(parts: AsyncDisposableStack) {
  const api = parts.use(await startFakeApi())
  const metrics = testKernelMetrics()
  const transport = parts.use(connectKube({ loadConfig: () => api.config, metrics: metrics.kernel }))
  const store = createStore(transport, { fieldManager: 'test' })
  const created = await store.create(widgets, {
    ...header(widgets, { namespace: 'default', name: 'w' }),
    spec: { size: 1 },
  })
  return { api, metrics, store, created, writer: createStatusWriter(store, metrics.kernel) }
}

test('a status that changed is written, and the newest object comes back', async () => {
  await using parts = new AsyncDisposableStack()
  const { store, created, writer } = await underTest(parts)
  const written = await writer.write(widgets, created, { seen: 1 })
  assert.deepEqual(written.status, { seen: 1 })
  assert.deepEqual(await store.get(widgets, { namespace: 'default', name: 'w' }), written)
})

test('a status that is the same already asks nothing of the server', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, metrics, created, writer } = await underTest(parts)
  const written = await writer.write(widgets, created, { seen: 1 })
  const requests = api.requests.length
  const same = JSON.parse('{"seen":1}') as { seen: number }
  assert.equal(await writer.write(widgets, written, same), written)
  assert.equal(await writer.write(widgets, created, {}), created)
  assert.equal(api.requests.length, requests)
  assert.equal(await metrics.value('status_writes_total', { outcome: 'unchanged' }), 2)
})

test('a status computed from an old object is a conflict', async () => {
  await using parts = new AsyncDisposableStack()
  const { created, writer } = await underTest(parts)
  await writer.write(widgets, created, { seen: 1 })
  await assert.rejects(writer.write(widgets, created, { seen: 2 }), (error) => isKubeError(error, 'conflict'))
})
