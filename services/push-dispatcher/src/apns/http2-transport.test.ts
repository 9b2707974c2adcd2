import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { type TestCertificate, until } from '@stampede/platform/testing'
import { answer, startTestApns } from '../testing/apns-server.ts'
import { type TestAuthority, testAuthority } from '../testing/authority.ts'
import { stallableProxy } from '../testing/stallable-proxy.ts'
import { Http2Transport } from './http2-transport.ts'
import { defaultTimings, type TransportTimings } from './options.ts'
import type { PushAnswer } from './transport.ts'

const quick: TransportTimings = { ...defaultTimings, dialBaseMs: 20, dialMaxMs: 200, sweepMs: 20 }

function tokens(count: number, offset = 0): Buffer[] {
  return Array.from({ length: count }, (_, index) => {
    const token = Buffer.alloc(32, 0xab)
    token.writeUInt32BE(index + offset, 0)
    return token
  })
}

function kinds(answers: readonly PushAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const one of answers) {
    const key = one.kind === 'answered' ? String(one.status) : one.kind
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

/** Sends until each push is answered, as the caller of a transport does; counts the answers by kind. */
async function sendAll(
  send: (list: Buffer[]) => Promise<readonly PushAnswer[]>,
  list: Buffer[],
): Promise<Record<string, number>> {
  const total: Record<string, number> = {}
  for (let left = list; left.length > 0; ) {
    const answers = await send(left)
    for (const [kind, count] of Object.entries(kinds(answers))) total[kind] = (total[kind] ?? 0) + count
    left = left.filter((_, index) => answers[index]?.kind !== 'answered')
  }
  return total
}

describe('the transport on node:http2', () => {
  let authority: TestAuthority
  let serverIdentity: TestCertificate
  let client: TestCertificate

  before(() => {
    authority = testAuthority()
    serverIdentity = authority.server()
    client = authority.client('brand-a')
  })

  async function open(timings: Partial<TransportTimings> = {}, streamLimit?: number) {
    const { server, url } = await startTestApns(serverIdentity, authority.caPem, streamLimit)
    const log: string[] = []
    const identity = { current: client as TestCertificate | undefined }
    const transports: Http2Transport[] = []
    const through = (address: string) => {
      const transport = makeTransport(address)
      transports.push(transport)
      return { transport, send: senderOf(transport) }
    }
    const makeTransport = (address: string) =>
      new Http2Transport({
        url: address,
        timings: { ...quick, ...timings },
        events: {
          dialed: () => log.push('dialed'),
          dialFailed: (_brand, cause) => log.push(`dialFailed ${cause}`),
          goaway: (_brand, code, reason) => log.push(`goaway ${code} ${reason}`),
          lost: (_brand, pushes) => log.push(`lost ${pushes}`),
          stopped: (_brand, reason) => log.push(`stopped ${reason}`),
        },
        identity: () =>
          identity.current === undefined
            ? undefined
            : { certPem: identity.current.certPem, keyPem: identity.current.keyPem, caPem: authority.caPem },
      })
    const senderOf =
      (transport: Http2Transport) =>
      (list: Buffer[], signal: AbortSignal = new AbortController().signal) =>
        transport.send({
          brand: 'a',
          lane: 'bulk',
          topic: 'pass.a',
          tokens: list,
          expirationSeconds: 1_900_000_000,
          signal,
        })
    return {
      server,
      url,
      log,
      identity,
      through,
      ...through(url),
      async [Symbol.asyncDispose]() {
        for (const transport of transports) await transport[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
      },
    }
  }

  test('sends the two bytes {} with the headers of a pass push', async () => {
    await using it = await open()
    const answers = await it.send(tokens(1))
    assert.deepEqual(kinds(answers), { 200: 1 })
    const [push] = it.server.seen
    assert.equal(push?.body, '{}')
    assert.equal(push?.client, 'brand-a')
    assert.equal(push?.token, tokens(1)[0]?.toString('hex'))
    assert.equal(push?.headers['apns-topic'], 'pass.a')
    assert.equal(push?.headers['apns-push-type'], 'background')
    assert.equal(push?.headers['apns-priority'], '5')
    assert.equal(push?.headers['apns-expiration'], '1900000000')
  })

  test('tells status, reason, timestamp and Retry-After of a refusal, in the order of the tokens', async () => {
    await using it = await open()
    it.server.handler = ({ token }, _server, stream) => {
      if (token.startsWith('00000000')) answer(stream, 410, { reason: 'Unregistered', timestamp: 1_700_000_000_123 })
      else if (token.startsWith('00000001')) answer(stream, 429, { reason: 'TooManyRequests' }, { 'retry-after': '7' })
      else answer(stream, 200)
    }
    const [dead, slow, good] = await it.send(tokens(3))
    assert.ok(dead?.kind === 'answered' && slow?.kind === 'answered' && good?.kind === 'answered')
    assert.deepEqual([dead.status, dead.reason, dead.timestampMs], [410, 'Unregistered', 1_700_000_000_123])
    assert.deepEqual([slow.status, slow.reason, slow.retryAfterMs], [429, 'TooManyRequests', 7_000])
    assert.equal(good.status, 200)
  })

  test('obeys the stream limit when it falls to 1 and rises again', async () => {
    await using it = await open()
    // Both connections are there before the limit changes.
    await it.send(tokens(4_000, 10_000))
    assert.equal(it.server.connections.length, 2)
    let answered = 0
    let openUnderLimit = 0
    it.server.handler = (_push, server, stream) => {
      answered += 1
      if (answered === 500) for (const session of server.connections) session.settings({ maxConcurrentStreams: 1 })
      // By then all that was on the wire when the limit fell has been answered.
      if (answered === 4_500) server.openMax = 0
      if (answered === 5_000) {
        openUnderLimit = server.openMax
        for (const session of server.connections) session.settings({ maxConcurrentStreams: 1_000 })
      }
      answer(stream, 200)
    }
    const total = await sendAll(it.send, tokens(6_000))
    assert.equal(total['200'], 6_000)
    assert.equal(total['unknown'], undefined)
    assert.equal(openUnderLimit, 1)
    assert.equal(it.server.seen.length, 10_000, 'a push was processed twice')
  })

  test('never opens more than the announced streams', async () => {
    await using it = await open({}, 3)
    it.server.handler = (_push, _server, stream) => {
      setImmediate(() => answer(stream, 200))
    }
    assert.deepEqual(kinds(await it.send(tokens(100))), { 200: 100 })
    assert.ok(it.server.openMax <= 3, `${it.server.openMax} streams were open`)
  })

  for (const drops of [false, true]) {
    test(`loses and repeats nothing over GOAWAY every 377 pushes when the server ${drops ? 'drops' : 'finishes'} late streams`, async () => {
      await using it = await open()
      const perConnection = new Map<number, number>()
      const accepted = new Map<string, number>()
      it.server.handler = ({ connection, token }, server, stream) => {
        const count = (perConnection.get(connection) ?? 0) + 1
        perConnection.set(connection, count)
        const last = 377 * 2 - 1
        if (drops && (stream.id ?? 0) > last) return
        answer(stream, 200)
        accepted.set(token, (accepted.get(token) ?? 0) + 1)
        if (count === 377) server.connections[connection - 1]?.goaway(0, drops ? last : 2 ** 31 - 1)
      }
      const total = await sendAll(it.send, tokens(2_000))
      assert.equal(total['200'], 2_000)
      assert.equal(total['unknown'], undefined)
      assert.equal(accepted.size, 2_000)
      assert.equal(Math.max(...accepted.values()), 1, 'a processed push was repeated')
      assert.ok(it.log.filter((line) => line.startsWith('goaway')).length >= 2)
      if (drops) assert.ok((total['unprocessed'] ?? 0) > 0, 'no push was above the last stream')
    })
  }

  test('calls the outcome unknown when the connection is reset', async () => {
    await using it = await open()
    it.server.handler = (_push, server) => {
      if (server.seen.length === 50) server.reset()
    }
    const first = await it.send(tokens(50))
    assert.deepEqual(kinds(first), { unknown: 50 })
    await until('the loss is told', () => it.log.includes('lost 50'))
    it.server.handler = (_push, _server, stream) => answer(stream, 200)
    assert.deepEqual(kinds(await it.send(tokens(50))), { 200: 50 })
  })

  test('ends pushes on a half-open connection at their deadline', async () => {
    await using it = await open({ pushMs: 100, pingMs: 100 })
    await using proxy = await stallableProxy(it.url)
    const { send } = it.through(proxy.url)
    assert.deepEqual(kinds(await send(tokens(5))), { 200: 5 })
    proxy.stall()
    assert.deepEqual(kinds(await send(tokens(5))), { unknown: 5 })
    await until('the loss is told', () => it.log.includes('lost 5'))
  })

  test('cancels only the overdue push when the peer still answers a PING', async () => {
    await using it = await open({ pushMs: 100 })
    it.server.handler = ({ token }, _server, stream) => {
      if (!token.startsWith('00000000')) answer(stream, 200)
    }
    const answers = await it.send(tokens(5))
    assert.deepEqual(kinds(answers), { unknown: 1, 200: 4 })
    assert.equal(it.server.connections.length, 1)
    assert.equal(it.server.connections[0]?.destroyed, false)
  })

  test('opens no further push once the signal is aborted and awaits those on the wire', async () => {
    await using it = await open({}, 10)
    const stop = new AbortController()
    const waiting: (() => void)[] = []
    const reached = Promise.withResolvers<void>()
    it.server.handler = (_push, server, stream) => {
      waiting.push(() => answer(stream, 200))
      if (server.seen.length === 10) reached.resolve()
    }
    const sending = it.send(tokens(100), stop.signal)
    await reached.promise
    stop.abort()
    for (const release of waiting) release()
    const answers = kinds(await sending)
    // Each of the pool's connections may have had its ten streams.
    assert.equal((answers['200'] ?? 0) + (answers['unsent'] ?? 0), 100)
    assert.ok((answers['unsent'] ?? 0) >= 80, JSON.stringify(answers))
    assert.equal(it.server.seen.length, answers['200'])
  })

  test('stops a brand without a certificate and sets it free when one comes', async () => {
    await using it = await open()
    it.identity.current = undefined
    assert.deepEqual(await it.send(tokens(2)), [
      { kind: 'stopped', reason: 'no certificate' },
      { kind: 'stopped', reason: 'no certificate' },
    ])
    assert.equal(it.transport.stopped('a'), 'no certificate')
    it.identity.current = client
    it.transport.renew('a')
    assert.deepEqual(kinds(await it.send(tokens(2))), { 200: 2 })
  })

  test('stops a brand when a GOAWAY blames the certificate, without hammering the door', async () => {
    await using it = await open()
    it.server.handler = (_push, _server, stream) => {
      stream.session?.goaway(0, 0, Buffer.from(JSON.stringify({ reason: 'BadCertificateEnvironment' })))
      setImmediate(() => stream.session?.destroy())
    }
    const answers = await it.send(tokens(1))
    assert.deepEqual(kinds(answers), { unknown: 1 })
    assert.equal(it.transport.stopped('a'), 'BadCertificateEnvironment')
    assert.deepEqual(kinds(await it.send(tokens(3))), { stopped: 3 })
    assert.equal(it.server.connections.length, 1)
  })

  test('moves to the new certificate without losing pushes', async () => {
    await using it = await open()
    const answers = it.send(tokens(3_000))
    it.identity.current = authority.client('brand-a-renewed')
    it.transport.renew('a')
    assert.deepEqual(kinds(await answers), { 200: 3_000 })
    await it.send(tokens(1, 9_000))
    assert.equal(it.server.seen.at(-1)?.client, 'brand-a-renewed')
  })

  test('waits ever longer between dials that fail, and recovers', async () => {
    await using it = await open()
    it.server.handler = (_push, server, stream) => {
      if (server.connections.length < 4) stream.session?.destroy()
      else answer(stream, 200)
    }
    await sendAll(it.send, tokens(20))
    assert.ok(it.server.connections.length >= 4 && it.server.connections.length <= 8, `${it.server.connections.length}`)
  })

  test('keeps tx and bulk on connections of their own', async () => {
    await using it = await open()
    await it.send(tokens(1))
    const signal = new AbortController().signal
    await it.transport.send({
      brand: 'a',
      lane: 'tx',
      topic: 'pass.a',
      tokens: tokens(1),
      expirationSeconds: 1,
      signal,
    })
    assert.deepEqual(
      it.server.seen.map(({ connection }) => connection),
      [1, 2],
    )
  })
})
