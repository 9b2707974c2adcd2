import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { type TestCertificate, until } from '@stampede/platform/testing'
import { answer, startTestApns } from '../testing/apns-server.ts'
import { type TestAuthority, testAuthority } from '../testing/authority.ts'
import { stallableProxy } from '../testing/stallable-proxy.ts'
import { H2PushTransport } from './h2push-transport.ts'
import { Http2Transport } from './http2-transport.ts'
import { defaultTimings, type TransportOptions, type TransportTimings } from './options.ts'
import { AnswerKind, type ApnsTransport, type Lane, type PushAnswers } from './transport.ts'

const quick: TransportTimings = { ...defaultTimings, dialBaseMs: 20, dialMaxMs: 200, sweepMs: 20 }

/** Both kinds of transport keep one contract. */
interface Kind {
  readonly name: string
  /** What was not processed is sent again by the transport itself. */
  readonly resends: boolean
  make(options: TransportOptions): ApnsTransport & { renew(brand: string): void }
}

const kindsOfTransport: readonly Kind[] = [
  { name: 'h2push', resends: true, make: (options) => new H2PushTransport(options) },
  { name: 'node:http2', resends: false, make: (options) => new Http2Transport(options) },
]

const TOKEN_BYTES = 32

function tokens(count: number, offset = 0): Buffer {
  const slab = Buffer.alloc(count * TOKEN_BYTES, 0xab)
  for (let index = 0; index < count; index += 1) slab.writeUInt32BE(index + offset, index * TOKEN_BYTES)
  return slab
}

const names = new Map<number, string>(Object.entries(AnswerKind).map(([name, kind]) => [kind, name]))

function kinds(answers: PushAnswers): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const [index, kind] of answers.kinds.entries()) {
    const key = kind === AnswerKind.answered ? String(answers.statuses[index]) : String(names.get(kind))
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

/** Sends until each push is answered, as the caller of a transport does; counts the answers by kind. */
async function sendAll(send: (slab: Buffer) => Promise<PushAnswers>, slab: Buffer): Promise<Record<string, number>> {
  const total: Record<string, number> = {}
  for (let left = slab; left.length > 0; ) {
    const answers = await send(left)
    for (const [kind, count] of Object.entries(kinds(answers))) total[kind] = (total[kind] ?? 0) + count
    const again = [...answers.kinds.entries()].filter(([, kind]) => kind !== AnswerKind.answered)
    left = Buffer.concat(again.map(([index]) => left.subarray(index * TOKEN_BYTES, (index + 1) * TOKEN_BYTES)))
  }
  return total
}

for (const kind of kindsOfTransport) {
  describe(`the transport on ${kind.name}`, () => contract(kind))
}

function contract({ make, resends }: Kind): void {
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
    const transports: ApnsTransport[] = []
    const through = (address: string) => {
      const transport = makeTransport(address)
      transports.push(transport)
      return { transport, send: senderOf(transport) }
    }
    const makeTransport = (address: string) =>
      make({
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
      (transport: ApnsTransport) =>
      (slab: Buffer, signal: AbortSignal = new AbortController().signal, lane: Lane = 'bulk') =>
        transport.send({
          brand: 'a',
          lane,
          topic: 'pass.a',
          pushType: 'background',
          priority: 5,
          tokens: slab,
          tokenBytes: TOKEN_BYTES,
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
    assert.equal(push?.token, tokens(1).toString('hex'))
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
    const { statuses, details, atMs } = await it.send(tokens(3))
    assert.deepEqual([...statuses], [410, 429, 200])
    assert.deepEqual(details.get(0), { reason: 'Unregistered', timestampMs: 1_700_000_000_123, retryAfterMs: 0 })
    assert.deepEqual(details.get(1), { reason: 'TooManyRequests', timestampMs: 0, retryAfterMs: 7_000 })
    assert.equal(details.has(2), false)
    assert.ok(atMs.every((at) => Math.abs(Date.now() - at) < 5_000))
  })

  test('leaves the push type out when it is empty', async () => {
    await using it = await open()
    const signal = new AbortController().signal
    const batch = { brand: 'a', lane: 'bulk', topic: 'pass.a', pushType: '', priority: 10 } as const
    await it.transport.send({ ...batch, tokens: tokens(1), tokenBytes: TOKEN_BYTES, expirationSeconds: 1, signal })
    assert.equal(it.server.seen[0]?.headers['apns-push-type'], undefined)
    assert.equal(it.server.seen[0]?.headers['apns-priority'], '10')
  })

  test('sends tokens of any length', async () => {
    await using it = await open()
    const signal = new AbortController().signal
    const batch = { brand: 'a', lane: 'bulk', topic: 'pass.a', pushType: '', priority: 10 } as const
    const send = (tokenBytes: number, count: number) =>
      it.transport.send({
        ...batch,
        tokens: Buffer.alloc(tokenBytes * count, tokenBytes),
        tokenBytes,
        expirationSeconds: 1,
        signal,
      })
    assert.deepEqual((await Promise.all([send(1, 2), send(100, 3), send(32, 1)])).map(kinds), [
      { 200: 2 },
      { 200: 3 },
      { 200: 1 },
    ])
    const lengths = it.server.seen.map(({ token }) => token.length / 2).sort((a, b) => a - b)
    assert.deepEqual(lengths, [1, 1, 32, 100, 100, 100])
    assert.ok(it.server.seen.some(({ token }) => token === '64'.repeat(100)))
  })

  test('obeys the stream limit when it falls to 1 and rises again', async () => {
    await using it = await open()
    const signal = new AbortController().signal
    await it.send(tokens(1, 10_000), signal, 'tx')
    let answered = 0
    let limited = 0
    let openUnderLimit: number[] = []
    it.server.handler = (_push, server, stream) => {
      answered += 1
      if (answered === 500) {
        // One that is dialled later starts with the limit of the server's first SETTINGS.
        limited = server.connections.length
        for (const session of server.connections) session.settings({ maxConcurrentStreams: 1 })
      }
      // By then all that was on the wire when the limit fell has been answered.
      if (answered === 4_500) server.openMax = []
      if (answered === 5_000) {
        openUnderLimit = server.openMax.slice(0, limited)
        for (const session of server.connections) session.settings({ maxConcurrentStreams: 1_000 })
      }
      answer(stream, 200)
    }
    const total = await sendAll((slab) => it.send(slab, signal, 'tx'), tokens(6_000))
    assert.equal(total['200'], 6_000)
    assert.equal(total['unknown'], undefined)
    // Without an entry where such a connection opened nothing then.
    assert.ok(
      openUnderLimit.every((streams) => streams <= 1),
      `${openUnderLimit}`,
    )
    assert.equal(it.server.seen.length, 6_001, 'a push was processed twice')
  })

  test('never opens more than the announced streams', async () => {
    await using it = await open({}, 3)
    it.server.handler = (_push, _server, stream) => {
      setImmediate(() => answer(stream, 200))
    }
    assert.deepEqual(kinds(await it.send(tokens(100))), { 200: 100 })
    assert.ok(Math.max(...it.server.openMax) <= 3, `${it.server.openMax} streams were open`)
  })

  for (const drops of [false, true]) {
    test(`loses and repeats nothing over GOAWAY every 377 pushes when the server ${drops ? 'drops' : 'finishes'} late streams`, async () => {
      await using it = await open()
      const perConnection = new Map<number, number>()
      const lastOf = new Map<number, number>()
      const accepted = new Map<string, number>()
      it.server.handler = ({ connection, token }, server, stream) => {
        const count = (perConnection.get(connection) ?? 0) + 1
        perConnection.set(connection, count)
        const id = stream.id ?? 0
        if (count === 377) {
          const last = drops ? id : (server.lastStream[connection - 1] ?? 0)
          lastOf.set(connection, last)
          server.connections[connection - 1]?.goaway(0, last)
        }
        if (id > (lastOf.get(connection) ?? id)) return
        answer(stream, 200)
        accepted.set(token, (accepted.get(token) ?? 0) + 1)
      }
      const total = await sendAll(it.send, tokens(2_000))
      assert.equal(total['200'], 2_000)
      assert.equal(total['unknown'], undefined)
      assert.equal(accepted.size, 2_000)
      assert.equal(Math.max(...accepted.values()), 1, 'a processed push was repeated')
      assert.ok(it.log.filter((line) => line.startsWith('goaway')).length >= 2)
      if (drops && !resends) assert.ok((total['unprocessed'] ?? 0) > 0, 'no push was above the last stream')
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
    const answers = await it.send(tokens(2))
    assert.deepEqual(kinds(answers), { stopped: 2 })
    assert.equal(answers.stopReason, 'no certificate')
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
    assert.equal(answers.kinds.includes(AnswerKind.answered), false)
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
    await until('the new certificate is used', async () => {
      await it.send(tokens(1, 9_000))
      return it.server.seen.at(-1)?.client === 'brand-a-renewed'
    })
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
    await it.send(tokens(1), new AbortController().signal, 'tx')
    assert.deepEqual(
      it.server.seen.map(({ connection }) => connection),
      [1, 2],
    )
  })
}
