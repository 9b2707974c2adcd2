import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { createDispatcherMetrics } from '../metrics.ts'
import { answer, startTestApns } from '../testing/apns-server.ts'
import { testAuthority } from '../testing/authority.ts'
import { H2PushTransport } from './h2push-transport.ts'
import { watchLoad } from './load-gauges.ts'
import { defaultTimings } from './options.ts'

const batch = { lane: 'bulk', topic: 'pass.a', pushType: 'background', priority: 5, tokenBytes: 32 } as const
const signal = new AbortController().signal

async function open() {
  const authority = testAuthority()
  const { server, url } = await startTestApns(authority.server(), authority.caPem)
  const identities = new Map(['a', 'b'].map((brand) => [brand, authority.client(brand)]))
  const transport = new H2PushTransport({
    url,
    timings: { ...defaultTimings, sweepMs: 20 },
    identity: (brand) => {
      const identity = identities.get(brand)
      return identity && { ...identity, caPem: authority.caPem }
    },
    events: { dialed() {}, dialFailed() {}, goaway() {}, lost() {}, stopped() {} },
  })
  return {
    server,
    transport,
    async [Symbol.asyncDispose]() {
      await transport[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

test('every brand pushes with its own certificate', async () => {
  await using it = await open()
  for (const brand of ['a', 'b', 'a'])
    await it.transport.send({ ...batch, brand, tokens: Buffer.alloc(32), expirationSeconds: 60, signal })
  assert.deepEqual(
    it.server.seen.map(({ client }) => client),
    ['a', 'b', 'a'],
  )
  assert.equal(it.server.connections.length, 2)
})

test('pushes of many expirations are each sent with their own', async () => {
  await using it = await open()
  const minutes = Array.from({ length: 100 }, (_, index) => index % 50)
  for (const minute of minutes)
    await it.transport.send({ ...batch, brand: 'a', tokens: Buffer.alloc(32), expirationSeconds: minute * 60, signal })
  assert.deepEqual(
    it.server.seen.map(({ headers }) => Number(headers['apns-expiration']) / 60),
    minutes,
  )
})

test('tells its gauges what the connections of each lane are doing', async () => {
  await using it = await open()
  const metrics = createDispatcherMetrics(createMetrics('push-dispatcher'))
  const gauge = async (name: 'connections' | 'inFlight', state?: string) => {
    const { values } = await metrics[name].get()
    return values.find(({ labels }) => labels.lane === 'bulk' && labels['state' as never] === state)?.value
  }
  const release: (() => void)[] = []
  it.server.handler = (_push, _server, stream) => release.push(() => answer(stream, 200))
  const sending = it.transport.send({ ...batch, brand: 'a', tokens: Buffer.alloc(96), expirationSeconds: 60, signal })
  await until('all are on the wire', () => release.length === 3)
  using _watching = watchLoad(it.transport, metrics)
  assert.equal(await gauge('connections', 'ready'), 1)
  assert.equal(await gauge('inFlight'), 3)
  for (const answerOne of release) answerOne()
  await sending
  assert.deepEqual(it.transport.load('bulk'), { connecting: 0, ready: 1, draining: 0, inFlight: 0 })
  assert.deepEqual(it.transport.load('tx'), { connecting: 0, ready: 0, draining: 0, inFlight: 0 })
})
