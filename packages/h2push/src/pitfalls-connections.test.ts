import assert from 'node:assert/strict'
import { lookup as systemLookup } from 'node:dns'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type LookupFunction } from 'node:net'
import { describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { testTls, until } from '@stampede/platform/testing'
import type { H2PushError } from './errors.ts'
import { Pool, type PoolOptions } from './pool/pool.ts'
import { OutcomeCode } from './request/outcome.ts'
import { ClientJudge } from './testing/client-judge.ts'
import {
  goawayFrame,
  headersFrame,
  pingFrame,
  plainSettings,
  resetFrame,
  settingsAckFrame,
} from './testing/frame-writer.ts'
import { literals, plainAnswer } from './testing/opened.ts'
import { pushBlock, pushTemplate, singleRequest } from './testing/pushes.ts'
import { RawServer } from './testing/raw-server.ts'

const template = pushTemplate()
const nothing = Buffer.alloc(0)
const timings = { dialBaseMs: 20, dialMaxMs: 100, sweepMs: 10, quietMs: 50, pingMs: 500 }

/** A correct server, each of whose connections a test can make misbehave. */
class Peer {
  readonly secure: TLSSocket
  readonly judge: ClientJudge
  /** Streams that were not answered. */
  readonly held: number[] = []
  answers = true
  pongs = true
  /** How long everything stands still when the next PING comes, in milliseconds. */
  stallMs = 0

  constructor(secure: TLSSocket, isMute = false) {
    this.secure = secure
    this.judge = new ClientJudge({
      onOpen: () => undefined,
      onEnd: ({ id }) => {
        if (this.answers) secure.write(plainAnswer(id))
        else this.held.push(id)
      },
      onReset: () => undefined,
      onSettings: () => !isMute && secure.write(settingsAckFrame),
      onPing: (payload) => {
        const endMs = Date.now() + this.stallMs
        this.stallMs = 0
        while (Date.now() < endMs);
        if (this.pongs) secure.write(pingFrame(payload, true))
      },
      onGoaway: () => undefined,
    })
    secure.on('data', (bytes) => this.judge.receive(bytes))
    if (isMute) return
    this.judge.sentSettings([[3, 1_000]])
    secure.write(plainSettings)
  }

  goaway(lastId: number, code = 0, debug = ''): void {
    this.secure.write(goawayFrame(lastId, code, debug))
  }
}

interface SetUp extends AsyncDisposable {
  readonly pool: Pool
  readonly peers: Peer[]
  readonly server: RawServer
  /** Events of the pool, in words. */
  readonly events: string[]
  readonly errors: H2PushError[]
}

const tls = testTls()

async function setUp(options: Partial<PoolOptions> = {}, serve?: (peer: Peer, number: number) => void): Promise<SetUp> {
  const peers: Peer[] = []
  const events: string[] = []
  const errors: H2PushError[] = []
  const server = new RawServer(tls, (secure) => {
    const peer = new Peer(secure)
    peers.push(peer)
    serve?.(peer, peers.length)
  })
  const pool = new Pool({
    origin: await server.listen(),
    identity: () => ({ caPem: tls.caPem }),
    ...options,
    timings: { ...timings, ...options.timings },
    events: {
      dialed: () => events.push('dialed'),
      ready: () => events.push('ready'),
      goaway: (code, reason) => events.push(`goaway ${code} ${reason}`),
      dialFailed: (error) => errors.push(error),
      closed: (error, unknown) => {
        events.push(`closed ${error?.code} ${unknown}`)
        if (error !== undefined) errors.push(error)
      },
    },
  })
  const end = async (): Promise<void> => {
    await pool[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    assert.deepEqual(
      peers.flatMap(({ judge }) => judge.violations),
      [],
    )
  }
  return { pool, peers, server, events, errors, [Symbol.asyncDispose]: end }
}

async function kindOf(pool: Pool, path = '/x'): Promise<string> {
  return (await pool.request(singleRequest(path, nothing))).kind
}

describe('a connection', { concurrency: false }, () => {
  test('that is replaced after GOAWAY looks the name up afresh', async () => {
    const names: string[] = []
    const lookup: LookupFunction = (name, options, callback) => {
      names.push(name)
      systemLookup('127.0.0.1', options, callback)
    }
    await using server = new RawServer(tls, (secure) => void peers.push(new Peer(secure)))
    const peers: Peer[] = []
    const origin = (await server.listen()).replace('127.0.0.1', 'localhost')
    await using pool = new Pool({ origin, identity: () => ({ caPem: tls.caPem }), lookup, timings })
    for (let round = 0; round < 3; round += 1) {
      assert.equal(await kindOf(pool), 'response')
      peers.at(-1)?.goaway(1)
    }
    assert.equal(await kindOf(pool), 'response')
    assert.deepEqual(names, ['localhost', 'localhost', 'localhost', 'localhost'])
  })

  test('is dialled one at a time after all were told to go', async () => {
    await using all = await setUp({ connectionsMin: 6, connectionsMax: 6 })
    const { pool, peers, events } = all
    await until('all are ready', () => pool.connections.ready === 6)
    const block = pushBlock(template, 0, 3_000)
    pool.submit(block)
    await block.done
    assert.ok(peers.every(({ judge }) => judge.streams.lastId > 0))
    events.length = 0
    for (const peer of peers) peer.goaway(peer.judge.streams.lastId)
    await until('all are replaced', () => events.filter((event) => event === 'ready').length === 6)
    const dials = events.filter((event) => event === 'dialed' || event === 'ready')
    assert.deepEqual(dials, new Array(6).fill(['dialed', 'ready']).flat())
    assert.equal(pool.connections.ready, 6)
  })

  test('that the server closes while idle costs no request', async () => {
    await using all = await setUp()
    const { pool, peers, events } = all
    assert.equal(await kindOf(pool), 'response')
    peers[0]?.secure.end()
    await until('it is gone', () => events.includes('closed closed 0'))
    assert.equal(await kindOf(pool), 'response')
  })

  test('that fell silent while idle is found by a PING before it costs a request', async () => {
    await using all = await setUp({ timings: { idlePingMs: 30 } })
    const { pool, peers, events } = all
    assert.equal(await kindOf(pool), 'response')
    const [peer] = peers
    assert.ok(peer)
    peer.pongs = false
    peer.answers = false
    await until('it is given up', () => events.includes('closed ping_timeout 0'))
    assert.equal(await kindOf(pool), 'response')
  })

  test('that falls silent with requests on it is given up, and they are unknown', async () => {
    await using all = await setUp()
    const { pool, peers, events } = all
    assert.equal(await kindOf(pool), 'response')
    const [peer] = peers
    assert.ok(peer)
    peer.pongs = false
    peer.answers = false
    const block = pushBlock(template, 0, 50)
    pool.submit(block)
    await block.done
    assert.ok(block.outcomes.every((outcome) => outcome === OutcomeCode.unknown))
    assert.ok(events.includes('closed ping_timeout 50'))
    assert.equal(await kindOf(pool), 'response')
  })

  test('is not given up because this process stood still', async () => {
    await using all = await setUp({ timings: { quietMs: 20, pingMs: 100 } })
    const { pool, peers, events } = all
    assert.equal(await kindOf(pool), 'response')
    const [peer] = peers
    assert.ok(peer)
    peer.answers = false
    peer.stallMs = 400
    const late = kindOf(pool)
    await until('it is on the wire', () => peer.held.length === 1)
    await until('a PING was answered late', () => peer.stallMs === 0)
    peer.secure.write(plainAnswer(3))
    assert.equal(await late, 'response')
    assert.deepEqual(events, ['dialed', 'ready'])
  })

  test('that answers PINGs but not its requests ends them with their deadline', async () => {
    await using all = await setUp({ timings: { requestMs: 100 } }, (peer) => {
      peer.answers = false
    })
    const { pool } = all
    const block = pushBlock(template, 0, 3)
    pool.submit(block)
    await block.done
    assert.deepEqual([...block.outcomes], new Array(3).fill(OutcomeCode.deadline))
    const single = await pool.request(singleRequest('/x', nothing, { timeoutMs: 20 }))
    assert.deepEqual(single, { kind: 'ended', reason: 'deadline', sent: true })
  })

  test('with most of its streams used up by requests past their deadline is replaced', async () => {
    await using all = await setUp({ timings: { requestMs: 60 }, limits: { streamsMax: 20 } }, (peer, number) => {
      peer.answers = number > 1
    })
    const { pool } = all
    const block = pushBlock(template, 0, 20)
    pool.submit(block)
    await block.done
    assert.equal(await kindOf(pool), 'response')
  })

  test('does not wait for ever for a peer that never drains', async () => {
    await using all = await setUp({ timings: { drainMs: 80 } })
    const { pool, peers, events } = all
    assert.equal(await kindOf(pool), 'response')
    const [peer] = peers
    assert.ok(peer)
    peer.answers = false
    const hanging = kindOf(pool)
    await until('it is on the wire', () => peer.held.length === 1)
    peer.goaway(3)
    assert.equal(await hanging, 'unknown')
    assert.ok(events.includes('closed drain_timeout 1'))
  })

  test('that is refused for its certificate tells why, and is dialled again with patience', async () => {
    await using all = await setUp({}, (peer) => peer.goaway(0, 0, '{"reason":"BadCertificateEnvironment"}'))
    const { pool, events, server } = all
    const block = pushBlock(template, 0, 5)
    pool.submit(block)
    await until('it was tried a few times', () => server.accepted >= 4)
    assert.ok(events.includes('goaway 0 BadCertificateEnvironment'))
    const startedAt = Date.now()
    const before = server.accepted
    await until('some time has passed', () => Date.now() - startedAt > 300)
    assert.ok(server.accepted - before <= 7, `${server.accepted - before} dials in 300 ms with waits of 50 ms and more`)
    assert.equal(block.open, 5)
  })

  test('that is asked for calm gets nothing for a second', async () => {
    await using all = await setUp()
    const { pool, peers } = all
    const startedAt = Date.now()
    assert.equal(await kindOf(pool), 'response')
    const [peer] = peers
    assert.ok(peer)
    peer.answers = false
    const calmed = kindOf(pool)
    await until('it is on the wire', () => peer.held.length === 1)
    peer.answers = true
    peer.secure.write(resetFrame(3, 11))
    assert.equal(await calmed, 'unknown')
    assert.equal(await kindOf(pool), 'response')
    assert.ok(Date.now() - startedAt >= 950)
  })
})

describe('a dial', { concurrency: false }, () => {
  test('fails by name when nobody listens', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    assert.equal(await firstFailure({ origin: `https://127.0.0.1:${port}` }), 'dial')
  })

  test('fails by name when the name does not resolve', async () => {
    const lookup: LookupFunction = (_, __, callback) =>
      callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND', syscall: 'getaddrinfo' }), '')
    assert.equal(await firstFailure({ origin: 'https://push.example', lookup }), 'dial')
  })

  test('fails by name when the server does not speak TLS, or hangs up', async () => {
    await using garbled = await plainServer('HTTP/1.1 400 Bad Request\r\n\r\n')
    assert.equal(await firstFailure({ origin: garbled.origin }), 'tls')
  })

  test('fails by name when the server accepts and says nothing', async () => {
    await using silent = await plainServer('')
    assert.equal(
      await firstFailure({ origin: silent.origin, timings: { ...timings, handshakeMs: 60 } }),
      'handshake_timeout',
    )
  })

  test('fails by name when no SETTINGS come', async () => {
    await using server = new RawServer(tls, (secure) => void new Peer(secure, true))
    const origin = await server.listen()
    assert.equal(await firstFailure({ origin, timings: { ...timings, handshakeMs: 100 } }), 'handshake_timeout')
  })
})

test('SETTINGS that are never acknowledged end the connection with SETTINGS_TIMEOUT', async () => {
  let goaway = -1
  const peers: ClientJudge[] = []
  await using server = new RawServer(tls, (secure) => {
    const judge = new ClientJudge({
      onOpen: () => undefined,
      onEnd: ({ id }) => secure.write(plainAnswer(id)),
      onReset: () => undefined,
      onSettings: () => undefined,
      onPing: () => undefined,
      onGoaway: (code) => {
        goaway = code
      },
    })
    peers.push(judge)
    secure.on('data', (bytes) => judge.receive(bytes))
    judge.sentSettings([[3, 1_000]])
    secure.write(plainSettings)
  })
  const origin = await server.listen()
  await using pool = new Pool({
    origin,
    identity: () => ({ caPem: tls.caPem }),
    timings: { ...timings, handshakeMs: 100 },
  })
  assert.equal(await kindOf(pool), 'response')
  await until('the server is told', () => goaway === 4)
})

test('a pool that shuts down finishes what is on the wire, hands back what waits, and takes nothing more', async () => {
  await using all = await setUp({ connectionsMax: 1, limits: { streamsMax: 10 } }, (peer) => {
    peer.answers = false
  })
  const { pool, peers } = all
  const block = pushBlock(template, 0, 30)
  pool.submit(block)
  await until('ten are on the wire', () => peers[0]?.held.length === 10)
  assert.equal(block.cancel(), 20)
  const drained = pool.drain(5_000)
  for (const id of peers[0]?.held ?? []) peers[0]?.secure.write(headersFrame(id, literals('200'), true))
  assert.equal(await drained, true)
  const rest = pushBlock(template, 30, 30)
  pool.submit(rest)
  await until('ten more are on the wire', () => peers[0]?.held.length === 20)
  assert.equal(await pool.drain(30), false)
  await pool[Symbol.asyncDispose]()
  await rest.done
  const count = (outcome: number): number => rest.outcomes.reduce((sum, one) => sum + (one === outcome ? 1 : 0), 0)
  assert.deepEqual([count(OutcomeCode.unknown), count(OutcomeCode.notProcessed)], [10, 20])
  assert.throws(() => pool.submit(pushBlock(template, 0, 1)), { code: 'disposed' })
  await pool[Symbol.asyncDispose]()
})

/** Code of the first failed dial of a pool. */
async function firstFailure(options: Pick<PoolOptions, 'origin'> & Partial<PoolOptions>): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  await using pool = new Pool({
    identity: () => ({ caPem: tls.caPem }),
    timings,
    ...options,
    events: { dialFailed: ({ code }) => resolve(code) },
  })
  const block = pushBlock(template, 0, 1)
  pool.submit(block)
  const code = await promise
  assert.equal(block.open, 1, 'nothing was sent, and it is tried again')
  return code
}

/** A TCP server that says one thing. */
async function plainServer(text: string): Promise<AsyncDisposable & { readonly origin: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    if (text !== '') socket.end(text)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets = new Set<{ destroy(): unknown }>()
  server.on('connection', (socket) => sockets.add(socket))
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
