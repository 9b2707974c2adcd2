import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectNats, ensureStreams, type Nats } from '@stampede/platform'
import { testNats, testParts, until } from '@stampede/platform/testing'
import { testSharingTimings as timings } from '../testing/sharing-timings.ts'
import { type Presence, startPresence } from './presence.ts'

const { logger } = testParts('presence')

/** Replicas on one broker; each has a connection of its own. */
async function startReplicas(url: string, names: readonly string[], stack: AsyncDisposableStack) {
  const all: { readonly nats: Nats; readonly presence: Presence }[] = []
  for (const replica of names) {
    const nats = stack.use(await connectNats({ url, name: replica, logger }))
    await ensureStreams(nats)
    all.push({ nats, presence: stack.use(await startPresence({ nats, replica, logger, timings })) })
  }
  return all
}

describe('presence', { concurrency: true }, () => {
  test('replicas see each other, and one that leaves is gone at once', async () => {
    await using stack = new AsyncDisposableStack()
    const { url } = stack.use(await testNats())
    const [a, b] = await startReplicas(url, ['a.local', 'b.local'], stack)
    assert.ok(a && b)
    assert.equal(b.presence.replicas().length, 2, 'a newcomer knows who is there from the start')
    await until('both are seen', () => a.presence.replicas().length === 2)
    let changes = 0
    a.presence.onChange(() => {
      changes += 1
    })
    const startMs = performance.now()
    await b.presence.leave()
    await until('it is gone', () => a.presence.replicas().length === 1)
    assert.ok(performance.now() - startMs < timings.ttlMs / 2, `${performance.now() - startMs} ms`)
    assert.equal(changes, 1)
    assert.deepEqual(b.presence.replicas(), ['a=2elocal', 'b=2elocal'], 'one who leaves still counts himself')
  })

  test('one that fell silent is gone after the TTL', async () => {
    await using stack = new AsyncDisposableStack()
    const { url } = stack.use(await testNats())
    const [a, b] = await startReplicas(url, ['a', 'b'], stack)
    assert.ok(a && b)
    await until('both are seen', () => a.presence.replicas().length === 2)
    const startMs = performance.now()
    await b.nats.connection.close()
    await until('it is gone', () => a.presence.replicas().length === 1)
    const tookMs = performance.now() - startMs
    assert.ok(tookMs >= timings.ttlMs - timings.heartbeatMs && tookMs < timings.ttlMs + 2_000, `${tookMs} ms`)
  })

  test('while the broker is away all stay, and all are heard again after it is back', async () => {
    await using stack = new AsyncDisposableStack()
    const server = stack.use(await testNats())
    const all = await startReplicas(server.url, ['a', 'b'], stack)
    await until('both are seen', () => all.every(({ presence }) => presence.replicas().length === 2))
    let changes = 0
    for (const { presence } of all)
      presence.onChange(() => {
        changes += 1
      })
    await server.stop(true)
    await sleep(2 * timings.ttlMs)
    await server.start()
    await until('the broker is back', () => all.every(({ nats }) => nats.isConnected()))
    await sleep(2 * timings.ttlMs)
    assert.equal(changes, 0, 'somebody was taken for gone')
    await all[1]?.presence.leave()
    await until('a leave is heard', () => all[0]?.presence.replicas().length === 1)
  })
})
