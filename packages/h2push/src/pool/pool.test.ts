import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { testCertificate, until } from '@stampede/platform/testing'
import type { TlsIdentity } from '../connection/options.ts'
import { H2PushError } from '../errors.ts'
import { RequestBlock } from '../request/block.ts'
import { OutcomeCode } from '../request/outcome.ts'
import { RequestTemplate } from '../request/template.ts'
import { Pool, type PoolOptions } from './pool.ts'

const authority = { ...testCertificate({ commonName: 'Test', authority: true }), commonName: 'Test' }
const stranger = { ...testCertificate({ commonName: 'Stranger', authority: true }), commonName: 'Stranger' }
const template = new RequestTemplate({
  method: 'POST',
  authority: 'localhost',
  pathPrefix: '/3/device/',
  headers: [['apns-topic', 'pass.com.example']],
  body: Buffer.from('{}'),
})

function identityOf(name: string, issuer = authority): TlsIdentity {
  const { certPem, keyPem } = testCertificate({ commonName: name, issuer })
  return { certPem, keyPem, caPem: authority.certPem }
}

function blockOf(count: number, deadlineAtMs?: number): RequestBlock {
  const variables = Buffer.alloc(count * 32)
  for (let index = 0; index < count; index += 1) variables.writeUInt32BE(index, index * 32)
  return new RequestBlock({
    template,
    variables,
    variableBytes: 32,
    ...(deadlineAtMs === undefined ? {} : { deadlineAtMs }),
  })
}

function countOf(block: RequestBlock, outcome: number): number {
  return block.outcomes.reduce((sum, one) => sum + (one === outcome ? 1 : 0), 0)
}

/** A server whose answers a test gives; it notes the common name of each connection's client. */
class Peer implements AsyncDisposable {
  readonly clients: string[] = []
  readonly sessions: ServerHttp2Session[] = []
  answer: (stream: ServerHttp2Stream) => void = (stream) => stream.respond({ ':status': 200 }, { endStream: true })
  readonly #server: Http2SecureServer

  constructor(maxConcurrentStreams = 100) {
    const { certPem, keyPem } = testCertificate({ commonName: '127.0.0.1', hosts: ['127.0.0.1'], issuer: authority })
    const settings = { maxConcurrentStreams }
    this.#server = createSecureServer({
      cert: certPem,
      key: keyPem,
      ca: authority.certPem,
      requestCert: true,
      settings,
    })
    this.#server.on('session', (session) => {
      this.sessions.push(session)
      const socket = session.socket as unknown as TLSSocket
      this.clients.push(String(socket.getPeerCertificate().subject?.CN ?? ''))
      session.on('error', () => undefined)
    })
    this.#server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => undefined)
      stream.resume().on('end', () => this.answer(stream))
    })
    this.#server.on('tlsClientError', () => undefined)
  }

  async open(options: Partial<PoolOptions> = {}): Promise<Pool> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const { port } = this.#server.address() as AddressInfo
    const identity = identityOf('first')
    return new Pool({ origin: `https://127.0.0.1:${port}`, identity: () => identity, ...options })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.sessions) session.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

describe('a pool', () => {
  test('dials when there is work, and grows while requests keep waiting', async () => {
    await using peer = new Peer(10)
    await using pool = await peer.open({ connectionsMax: 3, timings: { sweepMs: 10 } })
    assert.deepEqual(pool.connections, { connecting: 0, ready: 0, draining: 0, closed: 0 })
    const held: ServerHttp2Stream[] = []
    peer.answer = (stream) => held.push(stream)
    const block = blockOf(100)
    pool.submit(block)
    await until('three connections are full', () => held.length === 30)
    assert.equal(pool.inFlight, 30)
    assert.equal(pool.queued, 70)
    peer.answer = (stream) => stream.respond({ ':status': 200 }, { endStream: true })
    for (const stream of held) peer.answer(stream)
    await block.done
    assert.equal(countOf(block, OutcomeCode.response), 100)
    assert.equal(peer.sessions.length, 3)
  })

  /** Tells each connection to go with its third request, before any is answered; `end` decides what becomes of them. */
  function goEarly(
    peer: Peer,
    end: (streams: readonly ServerHttp2Stream[], session: ServerHttp2Session) => void,
  ): void {
    const held = new Map<ServerHttp2Session, ServerHttp2Stream[]>()
    peer.answer = (stream) => {
      const session = stream.session as ServerHttp2Session
      const streams = held.get(session) ?? []
      held.set(session, streams)
      streams.push(stream)
      if (streams.length !== 3) return
      session.goaway(0, stream.id)
      setTimeout(() => end(streams, session), 10)
    }
  }

  test('a GOAWAY before the first answer is no failed dial: what is on the connection is answered', async () => {
    await using peer = new Peer(3)
    await using pool = await peer.open({ connectionsMax: 1, timings: { sweepMs: 10, dialBaseMs: 1_000 } })
    goEarly(peer, (streams, session) => {
      for (const stream of streams) stream.respond({ ':status': 200 }, { endStream: true })
      session.close()
    })
    const startMs = performance.now()
    const block = blockOf(30)
    pool.submit(block)
    await block.done
    assert.equal(countOf(block, OutcomeCode.response), 30)
    const tookMs = performance.now() - startMs
    assert.ok(tookMs < 1_500, `${tookMs} ms for ${peer.sessions.length} connections`)
  })

  test('a peer that says it goes and then answers nothing is dialled with patience', async () => {
    await using peer = new Peer(3)
    await using pool = await peer.open({ connectionsMax: 1, timings: { sweepMs: 10, dialBaseMs: 400, dialMaxMs: 400 } })
    goEarly(peer, (_streams, session) => session.destroy())
    const startMs = performance.now()
    const block = blockOf(30)
    pool.submit(block)
    await block.done
    assert.equal(countOf(block, OutcomeCode.unknown), 30)
    const tookMs = performance.now() - startMs
    assert.ok(tookMs > 200, `${tookMs} ms for ${peer.sessions.length} connections`)
  })

  test('a new identity takes over without losing what is on the wire', async () => {
    await using peer = new Peer()
    let identity = identityOf('first')
    await using pool = await peer.open({ identity: () => identity })
    const held: ServerHttp2Stream[] = []
    peer.answer = (stream) => held.push(stream)
    const before = blockOf(10)
    pool.submit(before)
    await until('ten are on the wire', () => held.length === 10)
    identity = identityOf('second')
    pool.renew()
    await until(
      'the new one is ready and the old one drains',
      () => pool.connections.ready === 1 && pool.connections.draining === 1,
    )
    peer.answer = (stream) => stream.respond({ ':status': 200 }, { endStream: true })
    const after = blockOf(10)
    pool.submit(after)
    await after.done
    for (const stream of held) peer.answer(stream)
    await before.done
    assert.equal(countOf(before, OutcomeCode.response), 10)
    assert.deepEqual(peer.clients, ['first', 'second'])
  })

  test('a broken identity does not take down what works', async () => {
    await using peer = new Peer()
    let identity = identityOf('first')
    const failures: H2PushError[] = []
    const events = { dialFailed: (error: H2PushError) => failures.push(error) }
    await using pool = await peer.open({ identity: () => identity, events, timings: { dialBaseMs: 5, dialMaxMs: 20 } })
    pool.submit(blockOf(1))
    await until('it is ready', () => pool.connections.ready === 1)
    identity = identityOf('impostor', stranger)
    pool.renew()
    await until('it was refused twice', () => failures.length >= 2)
    // This server closes without an alert; others say why.
    assert.ok(['tls', 'closed'].includes(failures[0]?.code ?? ''), failures[0]?.code)
    const block = blockOf(5)
    pool.submit(block)
    await block.done
    assert.equal(countOf(block, OutcomeCode.response), 5)
    assert.deepEqual(new Set(peer.clients.filter((name) => name !== '')), new Set(['first']))
    identity = identityOf('third')
    pool.renew()
    await until('the third one is in', () => peer.clients.at(-1) === 'third' && pool.connections.ready === 1)
  })

  test('key and certificate that do not fit, or none at all, are a failed dial with a name', async () => {
    await using peer = new Peer()
    const codes: string[] = []
    const events = { dialFailed: (error: H2PushError) => codes.push(error.code) }
    const { certPem = '' } = identityOf('one')
    const { keyPem = '' } = identityOf('other')
    let identity: TlsIdentity | undefined = { certPem, keyPem, caPem: authority.certPem }
    await using pool = await peer.open({ identity: () => identity, events, timings: { dialBaseMs: 5, dialMaxMs: 10 } })
    const block = blockOf(1)
    pool.submit(block)
    await until('the first failure', () => codes.length > 0)
    identity = undefined
    const known = codes.length
    await until('the second failure', () => codes.length > known + 1)
    assert.deepEqual(new Set(codes), new Set(['identity']))
    identity = identityOf('right')
    pool.renew()
    await block.done
    assert.equal(block.outcomes[0], OutcomeCode.response)
  })

  test('a server of another authority is a failed dial, and nothing is sent', async () => {
    await using peer = new Peer()
    const failures: H2PushError[] = []
    const identity = { ...identityOf('first'), caPem: stranger.certPem }
    const events = { dialFailed: (error: H2PushError) => failures.push(error) }
    await using pool = await peer.open({ identity: () => identity, events })
    const block = blockOf(3)
    pool.submit(block)
    await until('the dial fails', () => failures.length === 1)
    assert.equal(failures[0]?.code, 'tls')
    assert.equal(block.open, 3)
  })

  test('a full queue refuses by name and has room again later', async () => {
    await using peer = new Peer()
    await using pool = await peer.open({ limits: { queuedMax: 100 } })
    const held: ServerHttp2Stream[] = []
    peer.answer = (stream) => held.push(stream)
    const block = blockOf(100)
    pool.submit(block)
    assert.equal(pool.room, 0)
    assert.throws(
      () => pool.submit(blockOf(1)),
      (error) => error instanceof H2PushError && error.code === 'queue_full',
    )
    await pool.whenRoom()
    assert.ok(pool.room >= 50)
    for (const stream of held) stream.respond({ ':status': 200 }, { endStream: true })
  })

  test('what waits beyond its deadline is ended, and what is disposed of ends too', async () => {
    await using peer = new Peer()
    const held: ServerHttp2Stream[] = []
    peer.answer = (stream) => held.push(stream)
    const pool = await peer.open({ connectionsMax: 1, timings: { sweepMs: 10 } })
    const full = blockOf(100)
    pool.submit(full)
    await until('the connection is full', () => held.length === 100)
    const late = blockOf(5, Date.now() + 20)
    const waiting = blockOf(5)
    pool.submit(late)
    pool.submit(waiting)
    await late.done
    assert.equal(countOf(late, OutcomeCode.deadline), 5)
    await pool[Symbol.asyncDispose]()
    await Promise.all([full.done, waiting.done])
    assert.equal(countOf(full, OutcomeCode.unknown), 100)
    assert.equal(countOf(waiting, OutcomeCode.notProcessed), 5)
    assert.throws(
      () => pool.submit(blockOf(1)),
      (error) => error instanceof H2PushError && error.code === 'disposed',
    )
  })

  test('an idle connection is closed and comes back with the next request', async () => {
    await using peer = new Peer()
    await using pool = await peer.open({ timings: { idleCloseMs: 30, sweepMs: 10 } })
    for (let round = 1; round <= 2; round += 1) {
      const block = blockOf(1)
      pool.submit(block)
      await block.done
      assert.equal(peer.sessions.length, round)
      await until('it is closed', () => pool.connections.ready === 0)
    }
  })
})

const refused: readonly (readonly [field: string, options: Partial<PoolOptions>])[] = [
  ['origin', { origin: 'http://localhost' }],
  ['connectionsMax', { connectionsMax: 0 }],
  ['connectionsMin', { connectionsMin: 5, connectionsMax: 4 }],
  ['limits.streamsMax', { limits: { streamsMax: 0 } }],
  ['limits.queuedMax', { limits: { queuedMax: -1 } }],
  ['timings.requestMs', { timings: { requestMs: 0 } }],
]

for (const [field, options] of refused) {
  test(`a pool with a wrong ${field} is refused by name`, () => {
    const make = () => new Pool({ origin: 'https://localhost', identity: () => undefined, ...options })
    assert.throws(
      make,
      (error) => error instanceof H2PushError && error.code === 'invalid' && error.message.includes(field),
    )
  })
}
