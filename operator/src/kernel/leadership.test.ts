// Replicas as processes of their own, on one lease of a real server.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type NodeProcess, startNode, until } from '@stampede/platform/testing'
import { findKubePrograms } from '../testing/kube-server.ts'
import { type RealWorld, startRealWorld } from '../testing/real-world.ts'
import { widgets } from '../testing/widgets.ts'
import { header, leases } from './resource.ts'

const namespace = 'default'
const lease = { namespace, name: 'widgets' }

describe('replicas as processes', { skip: findKubePrograms() === undefined }, () => {
  let world: RealWorld
  before(async () => {
    world = await startRealWorld()
  })
  after(() => world[Symbol.asyncDispose]())

  const startReplica = (): Promise<NodeProcess<string>> =>
    startNode({
      script: new URL('../testing/leader-process.ts', import.meta.url),
      env: { ...process.env, KUBECONFIG_TEXT: world.server.adminConfig.exportConfig() },
      readyLine: (line) => (line === 'candidate' ? line : undefined),
    })

  async function leader(): Promise<string> {
    return (await world.store.get(leases, lease))?.spec?.holderIdentity ?? ''
  }

  /** Makes a widget and waits for its status: the process that reconciled it. */
  async function reconcilerOf(name: string): Promise<number> {
    await world.store.create(widgets, { ...header(widgets, { namespace, name }), spec: { size: 1 } })
    let pid = 0
    await until(
      `${name} is reconciled`,
      async () => {
        pid = (await world.store.get(widgets, { namespace, name }))?.status?.seen ?? 0
        return pid !== 0
      },
      60_000,
    )
    return pid
  }

  test('the leader is killed: another takes over; it leaves politely: the next one at once; the lease is stolen: it ends', async () => {
    await using first = await startReplica()
    assert.equal(await reconcilerOf('one'), first.pid)
    await using second = await startReplica()
    await first.end('SIGKILL')
    assert.equal(await reconcilerOf('two'), second.pid)
    assert.equal(await leader(), `replica-${second.pid}`)

    await using third = await startReplica()
    assert.equal(await second.end('SIGTERM'), 0)
    assert.equal(await reconcilerOf('three'), third.pid)

    await world.store.patch(leases, lease, { spec: { holderIdentity: 'thief' } })
    assert.equal(await third.exited, 3)
    assert.equal(await leader(), 'thief')
  })

  test('the API server is away for longer than the renew deadline: the leader ends; who comes after leads', async () => {
    await world.store.delete(leases, lease)
    await using replica = await startReplica()
    assert.equal(await reconcilerOf('four'), replica.pid)
    await world.server.stop(true)
    assert.equal(await replica.exited, 3)
    await using next = await startReplica()
    await world.server.start()
    assert.equal(await reconcilerOf('five'), next.pid)
  })
})
