import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '@stampede/platform'
import { testClock, until } from '@stampede/platform/testing'
import { startFakeApi } from '../testing/fake-api.ts'
import { testKernelMetrics } from '../testing/kernel-metrics.ts'
import { testScheduler } from '../testing/scheduler.ts'
import { widgets } from '../testing/widgets.ts'
import { createEventRecorder, type EventInput, repeatWriteMs } from './events.ts'
import type { KubeObject } from './object.ts'
import { type EventObject, events, header } from './resource.ts'
import { createStore } from './store.ts'
import { connectKube } from './transport.ts'

const object: KubeObject = header(widgets, { namespace: 'default', name: 'w', uid: 'u1' })
const failed: EventInput = { type: 'Warning', reason: 'Failed', action: 'Issue', note: 'Apple says no' }

async function underTest(parts: AsyncDisposableStack) {
  const api = parts.use(await startFakeApi())
  const metrics = testKernelMetrics()
  const scheduler = testScheduler()
  const transport = parts.use(connectKube({ loadConfig: () => api.config, metrics: metrics.kernel }))
  const store = createStore(transport, { fieldManager: 'test' })
  const recorder = parts.use(
    createEventRecorder({
      store,
      controller: 'stampede.dev/operator',
      instance: 'replica-1',
      clock: testClock(),
      scheduler,
      metrics: metrics.kernel,
      logger: createLogger('events', 'silent'),
    }),
  )
  const stored = async (): Promise<readonly EventObject[]> => (await store.list(events, { namespace: 'default' })).items
  return { api, metrics, scheduler, recorder, stored }
}

test('an event says who did what to which object', async () => {
  await using parts = new AsyncDisposableStack()
  const { recorder, stored } = await underTest(parts)
  recorder.record(object, failed)
  await until('it is written', async () => (await stored()).length === 1)
  const [event] = await stored()
  assert.match(event?.metadata.name ?? '', /^w\.[0-9a-f]{16}$/)
  assert.deepEqual(event?.regarding, {
    apiVersion: 'test.stampede.dev/v1',
    kind: 'Widget',
    namespace: 'default',
    name: 'w',
    uid: 'u1',
  })
  const { type, reason, action, note, reportingController, reportingInstance, eventTime } = event ?? {}
  assert.deepEqual(
    [type, reason, action, note, reportingController, reportingInstance, eventTime],
    [
      'Warning',
      'Failed',
      'Issue',
      'Apple says no',
      'stampede.dev/operator',
      'replica-1',
      '2026-11-27T08:00:00.000000Z',
    ],
  )
})

test('the same again is counted, and written as a series after five minutes', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, metrics, scheduler, recorder, stored } = await underTest(parts)
  for (let index = 0; index < 5; index += 1) recorder.record(object, failed)
  await until('the first is written', async () => (await stored()).length === 1)
  const writes = (): number => api.requests.filter((line) => !line.startsWith('GET')).length
  assert.equal(writes(), 1)
  await scheduler.advance(repeatWriteMs)
  recorder.record(object, failed)
  await until('the series is written', async () => (await stored())[0]?.series?.count === 6)
  assert.deepEqual([writes(), (await stored()).length], [2, 1])
  assert.equal(await metrics.value('events_total', { outcome: 'repeated' }), 5)
})

test('another reason, note, type or object is another event', async () => {
  await using parts = new AsyncDisposableStack()
  const { recorder, stored } = await underTest(parts)
  recorder.record(object, failed)
  recorder.record(object, { ...failed, reason: 'Other' })
  recorder.record(object, { ...failed, note: 'Apple says maybe' })
  recorder.record(object, { ...failed, type: 'Normal' })
  recorder.record(header(widgets, { namespace: 'default', name: 'w', uid: 'u2' }), failed)
  await until('all are written', async () => (await stored()).length === 5)
})

test('a flood while the server hangs is bounded: the rest is dropped, and the end gives up after five seconds', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, metrics, scheduler, recorder } = await underTest(parts)
  api.fail({ status: 0, times: 1 })
  for (let index = 0; index < 1_000; index += 1) recorder.record(object, { ...failed, note: `number ${index}` })
  assert.equal(await metrics.value('events_total', { outcome: 'dropped' }), 1_000 - 257)
  const ending = recorder[Symbol.asyncDispose]()
  await scheduler.advance(5_000)
  await ending
})

test('a server that refuses events is counted, and troubles nobody', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, metrics, recorder, stored } = await underTest(parts)
  api.fail({ when: (method) => method === 'POST', status: 403 })
  recorder.record(object, failed)
  recorder.record(object, { ...failed, note: 'another' })
  await until('the second is written', async () => (await stored()).length === 1)
  assert.equal(await metrics.value('events_total', { outcome: 'failed' }), 1)
})

test('the end waits for what is pending, and takes nothing more', async () => {
  await using parts = new AsyncDisposableStack()
  const { recorder, stored } = await underTest(parts)
  for (let index = 0; index < 20; index += 1) recorder.record(object, { ...failed, note: `number ${index}` })
  await recorder[Symbol.asyncDispose]()
  recorder.record(object, { ...failed, note: 'too late' })
  assert.equal((await stored()).length, 20)
})
