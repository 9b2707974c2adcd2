import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clock, createLogger } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { type FakeApi, startFakeApi } from '../testing/fake-api.ts'
import type { StoredObject } from '../testing/fake-objects.ts'
import { testKernelMetrics } from '../testing/kernel-metrics.ts'
import { acquireLease, type HeldLease, type LeaseTimings } from './lease.ts'
import { systemScheduler } from './scheduler.ts'
import { connectKube } from './transport.ts'

const collection = '/apis/coordination.k8s.io/v1/namespaces/default/leases'
const path = `${collection}/operator`
/** For tests in which something expires. */
const quick: LeaseTimings = { durationMs: 1_000, renewDeadlineMs: 600, retryMs: 50 }
/** For tests in which nothing may expire, however busy the machine is. */
const calm: LeaseTimings = { durationMs: 60_000, renewDeadlineMs: 30_000, retryMs: 50 }
const never = new AbortController().signal
const isWrite = (method: string): boolean => method !== 'GET'

/** A fake server and candidates for its lease. */
async function election(parts: AsyncDisposableStack, timings = calm) {
  const api = parts.use(await startFakeApi())
  const metrics = testKernelMetrics()
  let clockOffsetMs = 0
  const clock: Clock = { now: () => new Date(clock.nowMs()), nowMs: () => Date.now() + clockOffsetMs }
  const jump = (ms: number): void => {
    clockOffsetMs += ms
  }
  const candidate = async (identity: string, signal = never): Promise<HeldLease> => {
    const transport = parts.use(connectKube({ loadConfig: () => api.config, metrics: metrics.kernel }))
    const held = await acquireLease(
      {
        transport,
        lease: { namespace: 'default', name: 'operator' },
        identity,
        timings,
        clock,
        scheduler: systemScheduler,
        metrics: metrics.kernel,
        logger: createLogger('lease', 'silent'),
      },
      signal,
    )
    assert.ok(held)
    parts.use(held)
    return held
  }
  return { api, jump, metrics, candidate }
}

function write(api: FakeApi, holderIdentity: string, renewTime: string): void {
  const spec = { holderIdentity, renewTime, acquireTime: renewTime, leaseDurationSeconds: 1, leaseTransitions: 3 }
  const metadata = { name: 'operator' }
  const object: StoredObject = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }
  if (api.objects.list(collection).length === 0) api.objects.create(collection, object)
  else api.objects.update(path, object, '')
}

function specOf(api: FakeApi): Readonly<Record<string, unknown>> {
  return api.objects.get(path)['spec'] as Readonly<Record<string, unknown>>
}

async function lostOf(held: HeldLease): Promise<string> {
  await until('the lease is lost', () => held.lost.aborted)
  return (held.lost.reason as Error).message
}

test('the first candidate leads and renews; the second waits, and leads as soon as the first lets go', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, metrics, candidate } = await election(parts)
  const first = await candidate('one')
  assert.equal(await metrics.value('leader_count'), 1)
  const renewed = api.objects.version
  await until('it renews', () => api.objects.version > renewed + 3)
  const waiting = candidate('two')
  await first[Symbol.asyncDispose]()
  await waiting
  assert.deepEqual([specOf(api)['holderIdentity'], specOf(api)['leaseTransitions']], ['two', 1])
})

for (const [what, renewTime] of [
  ['lies years back', '2001-01-01T00:00:00.000000Z'],
  ['lies years ahead', '2099-01-01T00:00:00.000000Z'],
] as const) {
  test(`a leader that is gone is followed after the lease's duration, though its time ${what}`, async () => {
    await using parts = new AsyncDisposableStack()
    const { api, candidate } = await election(parts, quick)
    write(api, 'dead', renewTime)
    const startedAt = performance.now()
    await candidate('one')
    assert.ok(performance.now() - startedAt >= quick.durationMs)
    assert.equal(specOf(api)['leaseTransitions'], 4)
  })
}

test('somebody who keeps labelling the lease of a dead leader does not keep it alive', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, candidate } = await election(parts, quick)
  write(api, 'dead', '2026-11-27T08:00:00.000000Z')
  let labels = 0
  const timer = setInterval(() => {
    labels += 1
    const { resourceVersion: _old, ...metadata } = api.objects.get(path).metadata
    api.objects.update(path, { ...api.objects.get(path), metadata: { ...metadata, labels: { n: String(labels) } } }, '')
  }, 100)
  parts.defer(() => clearInterval(timer))
  await candidate('one')
  assert.ok(labels >= 9)
})

test('a leader that renews with a clock gone wrong is left alone', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, candidate } = await election(parts, quick)
  let beats = 0
  const beat = (): void => {
    beats += 1
    write(api, 'alive', `2001-01-01T00:00:00.${String(beats).padStart(6, '0')}Z`)
  }
  beat()
  const timer = setInterval(beat, 100)
  parts.defer(() => clearInterval(timer))
  const stop = new AbortController()
  const waiting = candidate('one', stop.signal).catch((error: unknown) => error)
  await until('two durations have passed', () => beats >= 20)
  assert.equal(specOf(api)['holderIdentity'], 'alive')
  stop.abort()
  assert.ok((await waiting) instanceof assert.AssertionError, 'it never led')
})

test('a jump of the clock, forth or back, changes nothing for a leader', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, jump, candidate } = await election(parts)
  const held = await candidate('one')
  for (const hours of [48, -96]) {
    jump(hours * 3_600_000)
    const version = api.objects.version
    await until('it renews on', () => api.objects.version > version + 3)
  }
  assert.equal(held.lost.aborted, false)
})

test('a stolen lease is lost at the next renewal, and is neither taken back nor released', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, metrics, candidate } = await election(parts)
  const held = await candidate('one')
  write(api, 'thief', '2026-11-27T08:00:00.000000Z')
  assert.match(await lostOf(held), /taken by thief/)
  assert.equal(await metrics.value('leader_count'), 0)
  await held[Symbol.asyncDispose]()
  assert.equal(specOf(api)['holderIdentity'], 'thief')
})

test('a lease that somebody emptied is lost', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, candidate } = await election(parts)
  const held = await candidate('one')
  write(api, '', '2026-11-27T08:00:00.000000Z')
  assert.match(await lostOf(held), /emptied/)
})

test('somebody annotates the lease: the leader goes on', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, candidate } = await election(parts)
  const held = await candidate('one')
  const before = api.objects.get(path)
  const metadata = { name: 'operator', annotations: { note: 'mine' } }
  api.objects.update(path, { ...before, metadata }, '')
  const version = api.objects.version
  await until('it renews on', () => api.objects.version > version + 3)
  assert.equal(held.lost.aborted, false)
  assert.deepEqual(api.objects.get(path).metadata.annotations, { note: 'mine' })
})

test('somebody deletes the lease: the leader makes it again', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, candidate } = await election(parts)
  const held = await candidate('one')
  api.objects.delete(path)
  await until('it is there again', () => api.objects.list(collection).length === 1)
  assert.deepEqual([held.lost.aborted, specOf(api)['holderIdentity']], [false, 'one'])
})

for (const [what, status] of [
  ['fails', 500],
  ['hangs', 0],
] as const) {
  test(`every renewal ${what}: the lease is lost before anybody else gets it`, async () => {
    await using parts = new AsyncDisposableStack()
    const { api, candidate } = await election(parts, quick)
    const first = await candidate('one')
    let wasLost = false
    const second = candidate('two').then(() => {
      wasLost = first.lost.aborted
    })
    api.fail({ when: (_method, url) => url.searchParams.get('fieldManager') === 'one', status, times: 1_000 })
    assert.match(await lostOf(first), /not renewed within 600 ms/)
    await second
    assert.ok(wasLost)
  })
}

test('a few failed renewals within the deadline cost nothing', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, candidate } = await election(parts)
  const held = await candidate('one')
  api.fail({ when: isWrite, status: 500, times: 3 })
  const version = api.objects.version
  await until('it renews on', () => api.objects.version > version + 3)
  assert.equal(held.lost.aborted, false)
})

test('of many candidates at a time one leads', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, candidate } = await election(parts)
  const stop = new AbortController()
  const led: string[] = []
  const all = Array.from({ length: 8 }, (_, index) =>
    candidate(`c${index}`, stop.signal).then(
      () => void led.push(`c${index}`),
      () => undefined,
    ),
  )
  const version = (): number => (api.objects.list(collection).length === 0 ? 0 : api.objects.version)
  await until('many renewals have passed', () => version() > 45)
  assert.equal(led.length, 1)
  stop.abort()
  await Promise.all(all)
})

test('waiting for the lease survives a server that fails, and ends when it is told to', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, candidate } = await election(parts)
  api.fail({ status: 500, times: 2 })
  api.fail({ status: -1, times: 2 })
  await candidate('one')
  assert.equal(specOf(api)['holderIdentity'], 'one')
})
