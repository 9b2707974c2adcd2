import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { type TestTls, testTls } from '@stampede/platform/testing'
import { Pool, type PoolOptions } from './pool/pool.ts'
import { expectedAnswers, responseOf, sendBodies, sendPushes } from './testing/interop-traffic.ts'

const PUSHES = process.env['STAMPEDE_FULL'] === '1' ? 150_000 : 15_000

/** The server of node, which is nghttp2's: an independent and strict judge. */
class NodeServer implements AsyncDisposable {
  /** What it found wrong with the client. */
  readonly complaints: string[] = []
  readonly #counts = new Map<string, number>()
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #server: Http2SecureServer
  #pushes = 0

  /** `goawayEvery`: a connection is closed in order once in so many pushes; 0 for never. */
  constructor(tls: TestTls, settings: Settings, goawayEvery = 0) {
    this.#server = createSecureServer({ cert: tls.certPem, key: tls.keyPem, settings })
    this.#server.on('session', (session) => {
      this.#sessions.add(session)
      session.on('close', () => this.#sessions.delete(session))
      session.on('error', (error) => this.complaints.push(String(error)))
      session.on('frameError', (type, code) => this.complaints.push(`frame error ${type} ${code}`))
      session.on('goaway', (code) => code !== 0 && this.complaints.push(`GOAWAY ${code}`))
    })
    this.#server.on('sessionError', (error) => this.complaints.push(String(error)))
    this.#server.on('stream', (stream: ServerHttp2Stream, headers) => {
      stream.on('error', (error) => this.complaints.push(String(error)))
      const path = String(headers[':path'])
      if (path === '/echo') this.#echo(stream, headers)
      else if (path.startsWith('/bytes')) stream.end(Buffer.alloc(Number(path.slice(7)), 'b'))
      else this.#push(stream, path, goawayEvery)
    })
  }

  /** Pushes that were processed more than once. */
  get repeats(): number {
    return [...this.#counts.values()].filter((count) => count > 1).length
  }

  async open(options: Partial<PoolOptions> & { readonly caPem: string }): Promise<Pool> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const { port } = this.#server.address() as AddressInfo
    return new Pool({ origin: `https://127.0.0.1:${port}`, identity: () => ({ caPem: options.caPem }), ...options })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) session.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #echo(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.respond({ ':status': 200, 'x-seen': String(headers['x-wide'] ?? '').length }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-trailer': 'end' }))
    stream.pipe(stream)
  }

  #push(stream: ServerHttp2Stream, path: string, goawayEvery: number): void {
    let body = ''
    stream.setEncoding('utf8').on('data', (part: string) => {
      body += part
    })
    stream.on('end', () => {
      if (body !== '{}') this.complaints.push(`body ${body}`)
      this.#counts.set(path, (this.#counts.get(path) ?? 0) + 1)
      this.#pushes += 1
      if (goawayEvery > 0 && this.#pushes % goawayEvery === 0) stream.session?.close()
      const hex = path.slice('/3/device/'.length)
      this.#answer(stream, Number.parseInt(hex.slice(0, 8), 16), hex.slice(0, 36))
    })
  }

  #answer(stream: ServerHttp2Stream, number: number, apnsId: string): void {
    const { status, body } = expectedAnswers[number % 10] ?? { status: 200, body: '' }
    if (number % 10 === 9) stream.additionalHeaders({ ':status': 103, link: '</style.css>' })
    if (number % 10 !== 8) {
      stream.respond({ ':status': status, 'apns-id': apnsId }, { endStream: body === '' })
      if (body !== '') stream.end(body)
      return
    }
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-trailer': String(number) }))
    stream.respond({ ':status': status, 'apns-id': apnsId, 'x-large': 'v'.repeat(3_000) }, { waitForTrailers: true })
    stream.end(body)
  }
}

const servers: readonly (readonly [name: string, settings: Settings, limits: PoolOptions['limits'], share: number])[] =
  [
    ['1,000 streams', { maxConcurrentStreams: 1_000 }, {}, 1],
    ['100 streams and no table for our headers', { maxConcurrentStreams: 100, headerTableSize: 0 }, {}, 0.5],
    ['1 stream', { maxConcurrentStreams: 1 }, {}, 0.1],
    ['a small window', { maxConcurrentStreams: 100, initialWindowSize: 1 }, {}, 0.2],
    ['a small table', { maxConcurrentStreams: 1_000, headerTableSize: 150 }, {}, 0.5],
    ['no table for its headers', { maxConcurrentStreams: 1_000 }, { headerTableBytes: 0 }, 1],
  ]

describe('node:http2', { concurrency: false }, () => {
  const tls = testTls()
  const { caPem } = tls

  for (const [name, settings, limits, share] of servers) {
    test(`with ${name}: pushes, and bodies both ways`, { timeout: 300_000 }, async () => {
      await using server = new NodeServer(tls, settings)
      await using pool = await server.open({ caPem, connectionsMax: 2, ...(limits === undefined ? {} : { limits }) })
      await sendPushes(pool, Math.floor(PUSHES * share))
      if (settings.initialWindowSize !== 1) await sendBodies(pool)
      assert.deepEqual(server.complaints, [])
      assert.equal(server.repeats, 0)
    })
  }

  test('with GOAWAY every 1,777 pushes: none is lost, none is processed twice', { timeout: 300_000 }, async () => {
    await using server = new NodeServer(tls, { maxConcurrentStreams: 500 }, 1_777)
    await using pool = await server.open({ caPem, connectionsMax: 2 })
    await sendPushes(pool, PUSHES * 2)
    assert.deepEqual(server.complaints, [])
    assert.equal(server.repeats, 0)
  })

  test('large headers and large bodies', { timeout: 60_000 }, async () => {
    await using server = new NodeServer(tls, { maxConcurrentStreams: 100, initialWindowSize: 16_777_216 })
    await using pool = await server.open({ caPem, limits: { bodyBytesMax: 20_000_000 } })
    const headers = [['x-wide', 'w'.repeat(9_000)]] as const
    const echo = { method: 'POST', path: '/echo', headers }
    const wide = responseOf(await pool.request({ ...echo, body: Buffer.from('x') }))
    assert.equal(wide.headers.find(([header]) => header === 'x-seen')?.[1], '9000')
    assert.deepEqual(wide.trailers, [['x-trailer', 'end']])
    await sendBodies(pool, headers)
    const large = await Promise.all(
      Array.from({ length: 40 }, () => pool.request({ ...echo, body: Buffer.alloc(1_000_000, 'y') })),
    )
    assert.ok(large.every((outcome) => outcome.kind === 'response' && outcome.body.length === 1_000_000))
    const long = responseOf(await pool.request({ method: 'GET', path: '/bytes/10000000' }))
    assert.equal(long.body.length, 10_000_000)
    assert.deepEqual(server.complaints, [])
  })
})
