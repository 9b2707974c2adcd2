// What the kernel relies on, checked against the fake and against the real server: the fake may be trusted elsewhere
// as far as these tests go.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { KubeConfig } from '@kubernetes/client-node'
import { startFakeApi } from '../testing/fake-api.ts'
import { testKernelMetrics } from '../testing/kernel-metrics.ts'
import { findKubePrograms, startKubeServer } from '../testing/kube-server.ts'
import { installWidgets, type Widget, widgets } from '../testing/widgets.ts'
import { KubeError } from './errors.ts'
import { nameOf } from './object.ts'
import { collectionPath, header, type SecretObject, secrets } from './resource.ts'
import { systemScheduler } from './scheduler.ts'
import { createStore, type KubeStore } from './store.ts'
import { connectKube, type KubeTransport } from './transport.ts'
import { readLines } from './watch-lines.ts'

const namespace = 'default'
const widget = (name: string, size: number): Widget => ({ ...header(widgets, { namespace, name }), spec: { size } })
const secret = (name: string, labels: Readonly<Record<string, string>> = {}): SecretObject => ({
  ...header(secrets, { namespace, name, labels }),
  type: 'Opaque',
  data: { a: 'eA==' },
})

interface Line {
  readonly type: string
  readonly object: SecretObject & { readonly code?: number }
}

interface ServerUnderTest {
  readonly config: KubeConfig
  /** Makes it forget its first versions; the real one remembers only what happened since its start. */
  readonly forget: () => Promise<void>
}

async function startFake(parts: AsyncDisposableStack): Promise<ServerUnderTest> {
  const api = parts.use(await startFakeApi())
  api.token = 'right'
  return { config: api.config, forget: async () => api.objects.compact() }
}

async function startReal(parts: AsyncDisposableStack): Promise<ServerUnderTest> {
  const server = parts.use(await startKubeServer(programs))
  const forget = async (): Promise<void> => {
    await server.stop()
    await server.start()
  }
  return { config: server.adminConfig, forget }
}

const programs = findKubePrograms()
const servers = { 'the fake server': startFake, 'the real server': startReal }

for (const [name, start] of Object.entries(servers)) {
  describe(name, { skip: name === 'the real server' && programs === undefined }, () => {
    const parts = new AsyncDisposableStack()
    let server: ServerUnderTest
    let kube: KubeTransport
    let store: KubeStore

    before(async () => {
      server = await start(parts)
      kube = parts.use(connectKube({ loadConfig: () => server.config, metrics: testKernelMetrics().kernel }))
      store = createStore(kube, { fieldManager: 'contract' })
      if (name === 'the real server') await installWidgets(kube)
    })
    after(() => parts.disposeAsync())

    /** The first lines of a watch. */
    async function watch(resourceVersion: string, count: number, query = {}): Promise<readonly Line[]> {
      const path = collectionPath(secrets, namespace)
      const answer = await kube.openStream({
        method: 'GET',
        path,
        query: { watch: true, resourceVersion, timeoutSeconds: 30, ...query },
      })
      const lines: Line[] = []
      for await (const line of readLines(answer, 20_000, systemScheduler)) {
        lines.push(JSON.parse(line) as Line)
        if (lines.length === count) break
      }
      return lines
    }

    const code = async (work: Promise<unknown>): Promise<string> =>
      work.then(
        () => 'ok',
        (error: unknown) => (error instanceof KubeError ? error.code : String(error)),
      )

    test('creates, refuses to create again, reads, deletes, and knows no more', async () => {
      const created = await store.create(secrets, secret('one'))
      assert.ok(created.metadata.uid)
      assert.equal(await code(store.create(secrets, secret('one'))), 'alreadyExists')
      assert.deepEqual((await store.get(secrets, nameOf(created)))?.data, { a: 'eA==' })
      assert.equal(await store.delete(secrets, nameOf(created)), true)
      assert.equal(await store.get(secrets, nameOf(created)), undefined)
      assert.equal(await store.delete(secrets, nameOf(created)), false)
    })

    test('an update of an old version is a conflict, of a missing object not found', async () => {
      const first = await store.create(secrets, secret('two'))
      const second = await store.update(secrets, { ...first, data: { a: 'eQ==' } })
      assert.notEqual(first.metadata.resourceVersion, second.metadata.resourceVersion)
      assert.equal(await code(store.update(secrets, { ...first, data: { a: 'eg==' } })), 'conflict')
      assert.equal(await code(store.patch(secrets, { namespace, name: 'never' }, { data: {} })), 'notFound')
    })

    test('apply creates and changes; with an old version it is a conflict; without a change nothing moves', async () => {
      const first = await store.apply(secrets, secret('applied'))
      const second = await store.apply(secrets, { ...secret('applied'), data: { a: 'eQ==' } })
      assert.deepEqual(second.data, { a: 'eQ==' })
      const same = await store.apply(secrets, { ...secret('applied'), data: { a: 'eQ==' } })
      assert.equal(same.metadata.resourceVersion, second.metadata.resourceVersion)
      const { resourceVersion = '' } = first.metadata
      const stale = { ...secret('applied'), ...header(secrets, { namespace, name: 'applied', resourceVersion }) }
      assert.equal(await code(store.apply(secrets, { ...stale, data: { a: 'eg==' } })), 'conflict')
    })

    test('the generation counts changes of the spec and not of the status, which a plain write leaves alone', async () => {
      const created = await store.create(widgets, widget('w', 1))
      assert.equal(created.metadata.generation, 1)
      const reported = await store.patchStatus(widgets, { ...created, status: { seen: 1 } })
      assert.deepEqual([reported.metadata.generation, reported.status], [1, { seen: 1 }])
      const grown = await store.update(widgets, { ...reported, spec: { size: 2 }, status: { seen: 9 } })
      assert.deepEqual([grown.metadata.generation, grown.status], [2, { seen: 1 }])
      assert.equal(await code(store.patchStatus(widgets, { ...reported, status: { seen: 2 } })), 'conflict')
    })

    test('a list tells kinds, filters by label, and its version is where a watch goes on', async () => {
      await store.create(secrets, secret('red', { colour: 'red' }))
      const { items, resourceVersion } = await store.list(secrets, { namespace, labelSelector: 'colour=red' })
      assert.deepEqual(
        items.map(({ kind, apiVersion, metadata }) => [kind, apiVersion, metadata.name]),
        [['Secret', 'v1', 'red']],
      )
      const watching = watch(resourceVersion, 3)
      const made = await store.create(secrets, secret('seen'))
      await store.update(secrets, { ...made, data: { a: 'eQ==' } })
      await store.delete(secrets, nameOf(made))
      const lines = await watching
      assert.deepEqual(
        lines.map(({ type, object }) => [type, object.metadata.name]),
        [
          ['ADDED', 'seen'],
          ['MODIFIED', 'seen'],
          ['DELETED', 'seen'],
        ],
      )
      const versions = lines.map(({ object }) => Number(object.metadata.resourceVersion))
      assert.ok(versions.every((version, index) => version > (versions[index - 1] ?? 0)))
    })

    test('a watch from an earlier version replays what happened since', async () => {
      const { resourceVersion } = await store.list(secrets, { namespace })
      for (const one of ['r1', 'r2', 'r3']) await store.create(secrets, secret(one))
      const lines = await watch(resourceVersion, 3)
      assert.deepEqual(
        lines.map(({ object }) => object.metadata.name),
        ['r1', 'r2', 'r3'],
      )
    })

    test('a watch with a selector sees an object that leaves it as deleted, and one that enters as added', async () => {
      const made = await store.create(secrets, secret('moves', { colour: 'blue' }))
      const { resourceVersion } = await store.list(secrets, { namespace })
      const watching = watch(resourceVersion, 2, { labelSelector: 'colour=blue' })
      const left = await store.update(secrets, { ...made, metadata: { ...made.metadata, labels: { colour: 'grey' } } })
      await store.update(secrets, { ...left, metadata: { ...left.metadata, labels: { colour: 'blue' } } })
      const lines = await watching
      assert.deepEqual(
        lines.map(({ type }) => type),
        ['DELETED', 'ADDED'],
      )
    })

    test('the server ends a watch after the seconds that were asked for', async () => {
      const { resourceVersion } = await store.list(secrets, { namespace })
      assert.deepEqual(await watch(resourceVersion, 1, { timeoutSeconds: 1 }), [])
    })

    test('a list comes in pages', async () => {
      const path = collectionPath(secrets, namespace)
      type Page = { items: readonly SecretObject[]; metadata: { continue?: string } }
      const first = await kube.send<Page>({ method: 'GET', path, query: { limit: 2 } })
      assert.equal(first.items.length, 2)
      const rest = await kube.send<Page>({ method: 'GET', path, query: { continue: first.metadata.continue } })
      const { items } = await store.list(secrets, { namespace })
      assert.deepEqual(
        [...first.items, ...rest.items].map(({ metadata }) => metadata.name),
        items.map(({ metadata }) => metadata.name),
      )
    })

    test('a watch from a version that the server has forgotten is told so in its first line', async () => {
      await server.forget()
      const [line] = await watch('1', 1)
      assert.deepEqual([line?.type, line?.object.code], ['ERROR', 410])
    })

    test('who does not sign in properly is unauthorized', async () => {
      const config = new KubeConfig()
      const cluster = server.config.getCurrentCluster()
      assert.ok(cluster)
      config.loadFromClusterAndUser(cluster, { name: 'stranger', token: 'wrong' })
      using stranger = connectKube({ loadConfig: () => config, metrics: testKernelMetrics().kernel })
      const name = { namespace, name: 'x' }
      assert.equal(await code(createStore(stranger, { fieldManager: 'x' }).get(secrets, name)), 'unauthorized')
    })
  })
}
