// The kernel against a real kube-apiserver: what the fake cannot vouch for.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { KubeConfig } from '@kubernetes/client-node'
import { createLogger, systemClock } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { followSecrets } from '../testing/follower.ts'
import { findKubePrograms } from '../testing/kube-server.ts'
import { connectClient, type RealWorld, startRealWorld, throughPort } from '../testing/real-world.ts'
import { startTcpProxy } from '../testing/tcp-proxy.ts'
import { type Widget, widgets } from '../testing/widgets.ts'
import { mergeConditions } from './conditions.ts'
import { startController, watchObjects } from './controller.ts'
import { isKubeError } from './errors.ts'
import { createEventRecorder, repeatWriteMs } from './events.ts'
import { startInformer } from './informer.ts'
import { keyOf } from './object.ts'
import { events, header, type SecretObject, secrets } from './resource.ts'
import { createStatusWriter } from './status.ts'
import { createStore } from './store.ts'

const namespace = 'default'
const secret = (name: string, data: Readonly<Record<string, string>> = { a: 'eA==' }): SecretObject => ({
  ...header(secrets, { namespace, name }),
  type: 'Opaque',
  data,
})
const widget = (name: string): Widget => ({ ...header(widgets, { namespace, name }), spec: { size: 1 } })

describe('the real server', { skip: findKubePrograms() === undefined }, () => {
  let world: RealWorld
  before(async () => {
    world = await startRealWorld()
  })
  after(() => world[Symbol.asyncDispose]())

  async function catchesUp(follower: ReturnType<typeof followSecrets>): Promise<void> {
    await until('the cache has what the server has', async () => {
      const { items } = await world.store.list(secrets, { namespace })
      const versions = (objects: readonly SecretObject[]): string =>
        objects
          .map((object) => `${keyOf(object)} ${object.metadata.resourceVersion}`)
          .sort()
          .join()
      return versions(items) === versions(follower.informer.list()) && follower.believed.size === items.length
    })
  }

  test('a connection that is reset or goes half-open under a watch hides nothing', async () => {
    await using proxy = await startTcpProxy(Number(new URL(world.server.url).port))
    const config = throughPort(world.server.adminConfig, proxy.port)
    await using follower = followSecrets(() => config, { silenceMs: 1_000 })
    await follower.informer.synced
    for (const [name, spoil] of [
      ['reset', proxy.reset],
      ['frozen', proxy.freeze],
    ] as const) {
      spoil()
      await world.store.create(secrets, secret(name))
      await catchesUp(follower)
      await world.store.delete(secrets, { namespace, name })
      await catchesUp(follower)
    }
    assert.ok((await follower.metrics.value('informer_watch_ends_total', { cause: 'silent' })) >= 1)
    assert.equal(await follower.metrics.value('informer_relists_total'), 1)
  })

  test('the API server is killed with SIGKILL and comes back: everything that changed arrives', async () => {
    await using proxy = await startTcpProxy(Number(new URL(world.server.url).port))
    const config = throughPort(world.server.adminConfig, proxy.port)
    await using follower = followSecrets(() => config, { silenceMs: 1_000 })
    for (const name of ['stays', 'goes', 'changes']) await world.store.create(secrets, secret(name))
    await catchesUp(follower)
    proxy.freeze()
    await world.server.stop(true)
    await world.server.start()
    await world.store.delete(secrets, { namespace, name: 'goes' })
    await world.store.apply(secrets, secret('changes', { a: 'eQ==' }))
    await world.store.create(secrets, secret('comes'))
    await catchesUp(follower)
    assert.deepEqual(follower.informer.get('default/changes')?.data, { a: 'eQ==' })
  })

  test('apply removes what we held and leaves what others hold', async () => {
    const other = createStore(world.kube, { fieldManager: 'other' })
    await other.apply(secrets, secret('shared', { theirs: 'eA==' }))
    await world.store.apply(secrets, secret('shared', { one: 'eA==', two: 'eA==' }))
    const after = await world.store.apply(secrets, secret('shared', { one: 'eQ==' }))
    assert.deepEqual(after.data, { theirs: 'eA==', one: 'eQ==' })
  })

  test('a status keeps the conditions of others, is written once, and wakes nobody when nothing changed', async () => {
    const { kernel } = connectClient(() => world.server.adminConfig).metrics
    const writer = createStatusWriter(world.store, kernel)
    const created = await world.store.create(widgets, widget('conditions'))
    const other = createStore(world.kube, { fieldManager: 'other' })
    const now = new Date('2026-11-27T08:00:00.123Z')
    const change = (type: string) => [{ type, status: 'True', reason: 'Because', message: 'so' }] as const
    const first = await other.patchStatus(widgets, {
      ...created,
      status: { conditions: mergeConditions([], change('Theirs'), 1, now) },
    })
    const ours = mergeConditions([], change('Ready'), 1, now)
    const second = await writer.write(widgets, first, { conditions: ours })
    assert.deepEqual(
      second.status?.conditions?.map(({ type }) => type),
      ['Theirs', 'Ready'],
    )
    const third = await world.store.patchStatus(widgets, { ...second, status: { conditions: ours } })
    assert.equal(third.metadata.resourceVersion, second.metadata.resourceVersion)
    await assert.rejects(writer.write(widgets, first, {}), (error) => isKubeError(error, 'conflict'))
  })

  test('events and their series are accepted', async () => {
    const { shared, metrics } = connectClient(() => world.server.adminConfig)
    let offsetMs = 0
    const scheduler = { ...shared.scheduler, nowMs: () => performance.now() + offsetMs }
    const object = await world.store.create(widgets, widget('events'))
    {
      await using recorder = createEventRecorder({
        ...shared,
        scheduler,
        store: world.store,
        controller: 'stampede.dev/operator',
        instance: 'replica-1',
        clock: systemClock,
      })
      const event = { type: 'Warning', reason: 'Failed', action: 'Issue', note: 'no' } as const
      recorder.record(object, event)
      offsetMs += repeatWriteMs
      recorder.record(object, event)
    }
    const { items } = await world.store.list(events, { namespace, fieldSelector: 'regarding.name=events' })
    assert.deepEqual([items.length, items[0]?.series?.count, items[0]?.note], [1, 2, 'no'])
    assert.equal(await metrics.value('events_total', { outcome: 'failed' }), 0)
  })

  test('a cache that RBAC forbids fills as soon as a Role allows it', async () => {
    const config = await world.server.serviceAccountConfig({ namespace, name: 'reader' })
    await using follower = followSecrets(() => config)
    await until(
      'it was refused',
      async () => (await follower.metrics.value('informer_list_failures_total', { code: 'forbidden' })) >= 2,
    )
    const roles = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`
    const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['list', 'watch'] }]
    await world.kube.send({ method: 'POST', path: `${roles}/roles`, body: { metadata: { name: 'reader' }, rules } })
    const binding = {
      metadata: { name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
      subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace }],
    }
    await world.kube.send({ method: 'POST', path: `${roles}/rolebindings`, body: binding })
    await follower.informer.synced
    await catchesUp(follower)
  })

  test('a token that the server no longer takes is replaced by the next one', async () => {
    const valid = world.server.adminConfig
    const config = new KubeConfig()
    config.loadFromString(valid.exportConfig().replaceAll(/"token": *"[^"]*"/g, '"token":"expired"'))
    const configs = [config]
    await using follower = followSecrets(() => configs.shift() ?? valid)
    await follower.informer.synced
    await catchesUp(follower)
  })

  test('500 objects: each is reconciled, its status written once, and a restart of the server repeats nothing', async () => {
    using client = connectClient(() => world.server.adminConfig)
    const names = Array.from({ length: 500 }, (_, index) => `many-${String(index).padStart(3, '0')}`)
    const informer = startInformer({
      transport: client.kube,
      store: client.store,
      resource: widgets,
      namespace,
      ...client.shared,
    })
    await using parts = new AsyncDisposableStack()
    parts.use(informer)
    const writer = createStatusWriter(client.store, client.metrics.kernel)
    const reconciled = new Map<string, number>()
    parts.use(
      startController({
        name: 'many',
        sources: [watchObjects(informer)],
        concurrency: 8,
        reconcile: async (key) => {
          const object = informer.get(key)
          if (object === undefined || !object.metadata.name.startsWith('many-')) return {}
          reconciled.set(key, (reconciled.get(key) ?? 0) + 1)
          await writer.write(widgets, object, { seen: 1 })
          return {}
        },
        ...client.shared,
        logger: createLogger('many', 'silent'),
      }),
    )
    await Promise.all(names.map((name) => world.store.create(widgets, widget(name))))
    await until(
      'all have a status',
      () => informer.list().filter(({ status }) => status?.seen === 1).length === 500,
      60_000,
    )
    await world.server.stop(true)
    await world.server.start()
    await world.store.create(widgets, widget('many-last'))
    await until('the last one has a status', () => informer.get('default/many-last')?.status?.seen === 1, 60_000)
    assert.deepEqual(
      [...reconciled.values()].filter((count) => count !== 1),
      [],
    )
    assert.equal(reconciled.size, 501)
  })
})
