import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { KubeConfig } from '@kubernetes/client-node'
import { tempDir, until } from '@stampede/platform/testing'
import { type FakeApi, startFakeApi } from '../testing/fake-api.ts'
import { type Follower, followSecrets } from '../testing/follower.ts'
import type { InformerTimings } from './informer.ts'

const collection = '/api/v1/namespaces/default/secrets'
const isWatch = (_method: string, url: URL): boolean => url.searchParams.has('watch')
const isList = (method: string, url: URL): boolean => method === 'GET' && !url.searchParams.has('watch')

function make(api: FakeApi, name: string): void {
  api.objects.create(collection, { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: 'Opaque' })
}

function change(api: FakeApi, name: string, data: string): void {
  const path = `${collection}/${name}`
  api.objects.update(path, { ...api.objects.get(path), data: { a: data } }, '')
}

function remove(api: FakeApi, name: string): void {
  api.objects.delete(`${collection}/${name}`)
}

/** A fake server with two Secrets and an informer that has them and watches. */
async function follow(parts: AsyncDisposableStack, timings: Partial<InformerTimings> = {}) {
  const api = parts.use(await startFakeApi())
  for (const name of ['a', 'b']) make(api, name)
  const follower = parts.use(followSecrets(() => api.config, timings))
  await follower.informer.synced
  await until('it watches', () => api.watches.count === 1)
  return { api, follower }
}

/** Whether the cache, and whoever believed every change, have what the server has. */
function isCaughtUp(api: FakeApi, { informer, believed }: Follower): boolean {
  const there = api.objects
    .list(collection)
    .map(({ metadata }) => [`default/${metadata.name}`, metadata.resourceVersion])
  const cached = informer.list().map(({ metadata }) => [`default/${metadata.name}`, metadata.resourceVersion])
  const text = (pairs: readonly unknown[]): string => JSON.stringify([...pairs].sort())
  return text(there) === text(cached) && text(there) === text([...believed])
}

async function catchesUp(api: FakeApi, follower: Follower): Promise<void> {
  await until('the cache has what the server has', () => isCaughtUp(api, follower))
}

test('new, changed and deleted objects arrive with what they were before', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, follower } = await follow(parts)
  make(api, 'c')
  change(api, 'c', 'eA==')
  remove(api, 'c')
  await until('all three arrive', () => follower.changes.length === 5)
  const told = follower.changes.map(({ key, before, after }) => [key, before !== undefined, after !== undefined])
  assert.deepEqual(told, [
    ['default/a', false, true],
    ['default/b', false, true],
    ['default/c', false, true],
    ['default/c', true, true],
    ['default/c', true, false],
  ])
})

test('the server is killed: what was made, changed, deleted and remade meanwhile arrives when it is back', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, follower } = await follow(parts)
  const uid = follower.informer.get('default/b')?.metadata.uid
  await api.kill()
  make(api, 'new')
  change(api, 'a', 'eA==')
  remove(api, 'b')
  make(api, 'b')
  await until('it notices', async () => (await follower.metrics.value('informer_watch_ends_total')) >= 2)
  await api.revive()
  await catchesUp(api, follower)
  assert.notEqual(follower.informer.get('default/b')?.metadata.uid, uid)
})

test('what was deleted while the server was away and its log was lost is reported as deleted', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, follower } = await follow(parts)
  await api.kill()
  remove(api, 'a')
  api.objects.compact()
  await api.revive()
  await catchesUp(api, follower)
  const [last] = follower.changes.slice(-1)
  assert.deepEqual([last?.key, last?.before?.metadata.name, last?.after], ['default/a', 'a', undefined])
})

test('410 inside a watch: it lists again, and tells only of what has changed', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, follower } = await follow(parts)
  api.watches.stall()
  change(api, 'a', 'eA==')
  api.watches.expire()
  await catchesUp(api, follower)
  assert.equal(await follower.metrics.value('informer_relists_total'), 2)
  assert.equal(await follower.metrics.value('informer_watch_ends_total', { cause: 'gone' }), 1)
  assert.deepEqual(
    follower.changes.map(({ key }) => key),
    ['default/a', 'default/b', 'default/a'],
  )
})

test('410 at the start of a watch: it lists again', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, follower } = await follow(parts)
  api.fail({ when: isWatch, status: 410, times: 3 })
  api.watches.end('close')
  make(api, 'c')
  await catchesUp(api, follower)
  await until('it watches', () => api.watches.count === 1)
  assert.ok((await follower.metrics.value('informer_relists_total')) >= 2)
})

test('429 to a list: it asks again after the time that the server named, not before', async () => {
  await using parts = new AsyncDisposableStack()
  const api = parts.use(await startFakeApi())
  api.fail({ when: isList, status: 429, retryAfterSeconds: 1 })
  const startedAt = performance.now()
  const follower = parts.use(followSecrets(() => api.config))
  await follower.informer.synced
  assert.ok(performance.now() - startedAt >= 1_000)
  assert.equal(await follower.metrics.value('informer_list_failures_total', { code: 'tooManyRequests' }), 1)
  assert.equal(api.requests.filter((line) => !line.includes('watch')).length, 2)
})

for (const status of [500, 503, 403, -1]) {
  test(`${status === -1 ? 'a cut connection' : status} to three lists: it goes on trying`, async () => {
    await using parts = new AsyncDisposableStack()
    const api = parts.use(await startFakeApi())
    api.fail({ when: isList, status, times: 3 })
    make(api, 'a')
    const follower = parts.use(followSecrets(() => api.config))
    await follower.informer.synced
    assert.ok(isCaughtUp(api, follower))
    assert.equal(await follower.metrics.value('informer_list_failures_total'), 3)
  })
}

for (const how of ['close', 'cut'] as const) {
  test(`a watch that ends by ${how} goes on where it was, without a list`, async () => {
    await using parts = new AsyncDisposableStack()
    const { api, follower } = await follow(parts)
    for (let round = 0; round < 5; round += 1) {
      api.watches.end(how)
      make(api, `c${round}`)
      await catchesUp(api, follower)
      await until('it watches again', () => api.watches.count === 1)
    }
    assert.equal(await follower.metrics.value('informer_relists_total'), 1)
  })
}

test('a watch that says nothing any more is given up, and what it hid arrives', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, follower } = await follow(parts, { silenceMs: 300 })
  api.watches.stall()
  make(api, 'c')
  await catchesUp(api, follower)
  assert.equal(await follower.metrics.value('informer_watch_ends_total', { cause: 'silent' }), 1)
  assert.equal(await follower.metrics.value('informer_relists_total'), 1)
})

test('bookmarks keep a quiet watch alive, and let it go on after the log was cut', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, follower } = await follow(parts, { silenceMs: 400 })
  const requests = api.requests.length
  const startedAt = performance.now()
  await until('two silences have passed', () => {
    api.watches.bookmark()
    return performance.now() - startedAt > 800
  })
  assert.equal(api.requests.length, requests)
  api.objects.compact()
  api.watches.bookmark()
  const behind = Number(new URL(`http://x${api.requests.at(-1)?.split(' ')[1]}`).searchParams.get('resourceVersion'))
  assert.ok(behind < api.objects.compacted)
  await until('the bookmark has arrived', async () => {
    api.watches.end('close')
    return api.requests.at(-1)?.includes(`resourceVersion=${api.objects.version}&`) ?? false
  })
  assert.equal(await follower.metrics.value('informer_relists_total'), 1)
})

test('a token that expires is read again, from a file that ends in a newline', async () => {
  await using parts = new AsyncDisposableStack()
  const dir = parts.use(tempDir('token'))
  const tokenFile = join(dir.path, 'token')
  const api = parts.use(await startFakeApi())
  const loadConfig = (): KubeConfig => {
    const config = new KubeConfig()
    const authProvider = { name: 'tokenFile', config: { tokenFile } }
    config.loadFromClusterAndUser({ name: 'fake', server: api.url, skipTLSVerify: true }, { name: 'pod', authProvider })
    return config
  }
  api.token = 'first'
  writeFileSync(tokenFile, 'first\n')
  const follower = parts.use(followSecrets(loadConfig))
  await until('it watches', () => api.watches.count === 1)
  api.token = 'second'
  writeFileSync(tokenFile, 'second\n')
  api.watches.end('close')
  make(api, 'c')
  await catchesUp(api, follower)
})

test('a token that stays wrong for a while makes it wait, not stop', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, follower } = await follow(parts)
  const wrong = api.config
  api.token = 'right'
  const other = parts.use(followSecrets(() => (api.requests.length > 20 ? api.config : wrong)))
  await other.informer.synced
  api.watches.end('close')
  make(api, 'c')
  await catchesUp(api, other)
  assert.ok(follower.changes.length >= 2)
})

test('a consumer that blocks the process for longer than the silence loses nothing', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, follower } = await follow(parts, { silenceMs: 200 })
  let isFirst = true
  follower.informer.listen(({ key }) => {
    if (key !== 'default/c0' || !isFirst) return
    isFirst = false
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
  })
  for (let index = 0; index < 2_000; index += 1) make(api, `c${index}`)
  for (let index = 0; index < 2_000; index += 2) remove(api, `c${index}`)
  await catchesUp(api, follower)
  assert.equal(follower.informer.list().length, 1_002)
})

for (const [what, line] of [
  ['half of an event', '{"type":"ADDED","object":{"kind"'],
  ['an event without an object', '{"type":"ADDED"}'],
  ['an event of an unknown type', '{"type":"MOVED","object":{"metadata":{"name":"a","resourceVersion":"9"}}}'],
  ['an object without a version', '{"type":"MODIFIED","object":{"metadata":{"name":"a"}}}'],
  ['a word', 'null'],
] as const) {
  test(`a line that is no event (${what}) is counted, and the cache lists again`, async () => {
    await using parts = new AsyncDisposableStack()
    const { api, follower } = await follow(parts)
    api.watches.raw(line)
    await until('it lists again', async () => (await follower.metrics.value('informer_relists_total')) === 2)
    assert.equal(await follower.metrics.value('informer_bad_events_total'), 1)
    make(api, 'c')
    await catchesUp(api, follower)
  })
}

test('an ERROR event other than 410 makes it list again as well', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, follower } = await follow(parts)
  api.watches.raw('{"type":"ERROR","object":{"kind":"Status","code":500,"reason":"InternalError","message":"etcd"}}')
  await until('it lists again', async () => (await follower.metrics.value('informer_relists_total')) === 2)
  make(api, 'c')
  await catchesUp(api, follower)
})

test('a server that closes every watch at once is asked with growing waits', async () => {
  await using parts = new AsyncDisposableStack()
  const { api } = await follow(parts, { backoff: { firstMs: 100, capMs: 10_000 } })
  const before = api.requests.length
  const closing = setInterval(() => api.watches.end('close'), 1)
  parts.defer(() => clearInterval(closing))
  const startedAt = performance.now()
  await until('a second has passed', () => performance.now() - startedAt > 1_000)
  const asked = api.requests.length - before
  assert.ok(asked >= 2 && asked <= 6, `${asked} requests in a second`)
})

test('a listener that throws harms neither the cache nor the other listeners', async () => {
  await using parts = new AsyncDisposableStack()
  const { api, follower } = await follow(parts)
  let isArmed = false
  follower.informer.listen(() => {
    if (isArmed) throw new Error('a bug')
  })
  isArmed = true
  const heard: string[] = []
  follower.informer.listen(({ key }) => void heard.push(key))
  make(api, 'c')
  await catchesUp(api, follower)
  assert.deepEqual(heard, ['default/a', 'default/b', 'default/c'])
  assert.equal(await follower.metrics.value('informer_relists_total'), 1)
})

test('every key is told again at the resync', async () => {
  await using parts = new AsyncDisposableStack()
  const { follower } = await follow(parts, { resyncMs: 200 })
  await until('two resyncs', () => follower.changes.length >= 6)
  const again = follower.changes.slice(2, 4)
  assert.ok(again.every(({ before, after }) => before !== undefined && before === after))
})

test('a continue token that expires between two pages costs one more list, not the sync', async () => {
  await using parts = new AsyncDisposableStack()
  const api = parts.use(await startFakeApi())
  for (let index = 0; index < 1_100; index += 1) make(api, `c${index}`)
  api.fail({ when: (_method, url) => url.searchParams.has('continue'), status: 410 })
  const follower = parts.use(followSecrets(() => api.config))
  await follower.informer.synced
  assert.ok(isCaughtUp(api, follower))
  const lists = api.requests.filter((line) => !line.includes('watch=true'))
  assert.deepEqual(
    lists.map((line) => [line.includes('limit='), line.includes('continue=')]),
    [
      [true, false],
      [true, true],
      [false, false],
    ],
  )
})

test('the contact and the size of the cache can be seen', async () => {
  await using parts = new AsyncDisposableStack()
  const { follower } = await follow(parts)
  const contact = await follower.metrics.value('informer_last_contact_timestamp_seconds', { resource: 'secrets' })
  assert.ok(Math.abs(Date.now() / 1000 - contact) < 60)
  assert.equal(await follower.metrics.value('informer_objects_count', { resource: 'secrets' }), 2)
})

test('disposing ends the watch and asks nothing more, also while the server hangs', async () => {
  const parts = new AsyncDisposableStack()
  const { api, follower } = await follow(parts)
  await follower[Symbol.asyncDispose]()
  await until('the watch is closed', () => api.watches.count === 0)
  api.fail({ status: 0, times: 100 })
  const hanging = followSecrets(() => api.config)
  await until('it asks', () => api.requests.length === 3)
  await hanging[Symbol.asyncDispose]()
  assert.equal(api.requests.length, 3)
  await parts.disposeAsync()
})
