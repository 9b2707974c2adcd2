import { randomUUID } from 'node:crypto'
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Authority } from '../authority.ts'
import { oids, readCertificate } from '../crypto/certificate.ts'
import type { ApnsFaults } from '../faults.ts'
import { type Journal, nowMs } from '../journal.ts'
import { seededRandom } from '../random.ts'
import type { ApnsRow } from '../rows.ts'
import type { TokenDirectory } from './directory.ts'
import {
  type ApnsReason,
  type ClientIdentity,
  checkPayload,
  checkPushHeaders,
  isMessageId,
  PAYLOAD_BYTES_MAX,
  type PushHeaders,
  readHeaders,
  reasonStatus,
  tokenOf,
} from './rules.ts'
import { AnswerCounter, type ApnsStatistics } from './statistics.ts'

/** What the APNs stand-in is built from. */
export interface ApnsOptions {
  readonly authority: Authority
  readonly hosts: readonly string[]
  /** 0: any free port. */
  readonly port: number
  readonly journal: Journal
  readonly directory: TokenDirectory
  /** Read at every request, so that changes act at once. */
  readonly faults: () => ApnsFaults
}

/** The running APNs stand-in. */
export interface ApnsServer extends AsyncDisposable {
  readonly port: number
  statistics(): ApnsStatistics
  /** Counts a row of an earlier run. */
  restore(row: ApnsRow): void
  /** Announces the stream limit of the faults on every open connection. */
  announceStreamLimit(): void
}

/** Tokens whose last push is remembered for TooManyRequests. */
const THROTTLED_TOKENS_MAX = 1_000_000
const FAULT_SEED = 20_261_127
/** How long the server waits for open connections when it stops. */
const CLOSE_TIMEOUT_MS = 2000

interface Connection {
  readonly session: ServerHttp2Session
  readonly client: ClientIdentity
  requests: number
  errors: number
  /** Last stream that is answered; later ones are not processed. */
  lastStreamId: number
  leaving: boolean
}

function identify(socket: TLSSocket): ClientIdentity {
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) return { topic: '', refusal: 'MissingProviderToken' }
  if (!socket.authorized) return { topic: '', refusal: 'BadCertificate' }
  const { subject, extensions } = readCertificate(certificate.raw)
  const topic = subject.get(oids.uid)
  if (!topic) return { topic: '', refusal: 'BadCertificate' }
  if (!extensions.has(oids.apnsProduction)) return { topic, refusal: 'BadCertificateEnvironment' }
  return { topic }
}

class Apns implements ApnsServer {
  readonly #options: ApnsOptions
  readonly #server: Http2SecureServer
  readonly #connections = new Map<ServerHttp2Session, Connection>()
  readonly #counter = new AnswerCounter()
  readonly #random = seededRandom(FAULT_SEED)
  readonly #lastPushMs = new Map<string, number>()

  constructor(options: ApnsOptions) {
    this.#options = options
    const { authority, hosts, faults } = options
    const { certPem, keyPem } = authority.issueServerCertificate(hosts)
    this.#server = createSecureServer({
      cert: certPem,
      key: keyPem,
      ca: [authority.rootPem, authority.wwdrPem],
      requestCert: true,
      // The refusal is an answer with Apple's reason, not a broken handshake.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      settings: { maxConcurrentStreams: faults().streamLimit },
      maxSessionMemory: 64,
      // A client that has not yet seen a lowered stream limit must not lose its connection for it.
      maxSessionRejectedStreams: 100_000,
    })
    this.#server.on('session', (session) => this.#connect(session))
    this.#server.on('stream', (stream: ServerHttp2Stream, _headers: object, _flags: number, raw: readonly string[]) => {
      this.#receive(stream, raw)
    })
    // Handshakes fail when clients go away; the client sees it, nobody here has to.
    this.#server.on('tlsClientError', () => undefined)
    this.#server.on('sessionError', () => undefined)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#options.port, '127.0.0.1', () => resolve())
    })
  }

  statistics(): ApnsStatistics {
    const { accepted, rejected } = this.#counter
    return {
      accepted,
      rejected: { ...rejected },
      perSecond: this.#counter.perSecond(nowMs()),
      connections: this.#connections.size,
    }
  }

  restore({ reason, at }: ApnsRow): void {
    this.#counter.count(reason, at)
  }

  announceStreamLimit(): void {
    const { streamLimit } = this.#options.faults()
    this.#server.updateSettings({ maxConcurrentStreams: streamLimit })
    for (const { session } of this.#connections.values()) {
      if (!session.closed && !session.destroyed) session.settings({ maxConcurrentStreams: streamLimit })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const { session } of this.#connections.values()) session.close()
    const timer = setTimeout(() => {
      for (const { session } of this.#connections.values()) session.destroy()
    }, CLOSE_TIMEOUT_MS)
    await closed
    clearTimeout(timer)
  }

  #connect(session: ServerHttp2Session): void {
    const client = identify(session.socket as TLSSocket)
    this.#connections.set(session, { session, client, requests: 0, errors: 0, lastStreamId: 0, leaving: false })
    session.on('error', () => undefined)
    session.once('close', () => this.#connections.delete(session))
  }

  #receive(stream: ServerHttp2Stream, raw: readonly string[]): void {
    stream.on('error', () => undefined)
    const connection = this.#connections.get(stream.session as ServerHttp2Session)
    if (!connection) return
    if (connection.leaving) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM)
      return
    }
    connection.lastStreamId = stream.id ?? 0
    connection.requests += 1
    const parts: Buffer[] = []
    let size = 0
    stream.on('data', (part: Buffer) => {
      size += part.length
      if (size <= PAYLOAD_BYTES_MAX + part.length) parts.push(part)
    })
    stream.on('end', () => {
      const body = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
      this.#decide(connection, stream, readHeaders(raw), body)
    })
    const { goawayEvery } = this.#options.faults()
    if (goawayEvery > 0 && connection.requests >= goawayEvery) this.#leave(connection, 'Shutdown')
  }

  #decide(connection: Connection, stream: ServerHttp2Stream, headers: PushHeaders, body: Buffer): void {
    const { client } = connection
    const at = nowMs()
    const target = tokenOf(headers.path)
    const token = 'token' in target ? target.token : ''
    const topic = headers.topic ?? client.topic
    let reason = checkPushHeaders(headers, client) ?? checkPayload(body)
    let goneSinceMs: number | undefined
    if (!reason) {
      const state = this.#options.directory.look(token, topic)
      if (state.kind === 'unknown') reason = 'BadDeviceToken'
      else if (state.kind === 'other-topic') reason = 'DeviceTokenNotForTopic'
      else if (state.kind === 'gone') {
        reason = 'Unregistered'
        goneSinceMs = state.sinceMs
      } else reason = this.#injectFault(token, at)
    }
    const status = reason ? reasonStatus[reason] : 200
    const apnsId = isMessageId(headers.apnsId) ? headers.apnsId.toLowerCase() : randomUUID()
    const row: ApnsRow = { at, token, topic, certUid: client.topic, status, ...(reason && { reason }), apnsId }
    this.#counter.count(reason, at)
    this.#options.journal.append(row, () => {
      if (!reason) this.#options.directory.deliver(token, topic, at)
      this.#answer(connection, stream, row, reason, goneSinceMs)
    })
  }

  #injectFault(token: string, at: number): ApnsReason | undefined {
    const { tokenIntervalMs, failShare, failReason } = this.#options.faults()
    if (failShare > 0 && this.#random() < failShare) return failReason
    if (tokenIntervalMs === 0) return undefined
    const last = this.#lastPushMs.get(token)
    if (last !== undefined && at - last < tokenIntervalMs) return 'TooManyRequests'
    if (this.#lastPushMs.size >= THROTTLED_TOKENS_MAX) this.#lastPushMs.clear()
    this.#lastPushMs.set(token, at)
    return undefined
  }

  #answer(
    connection: Connection,
    stream: ServerHttp2Stream,
    row: ApnsRow,
    reason: ApnsReason | undefined,
    goneSinceMs: number | undefined,
  ): void {
    const { delayMs } = this.#options.faults()
    if (delayMs > 0) setTimeout(() => respond(stream, row, reason, goneSinceMs), delayMs)
    else respond(stream, row, reason, goneSinceMs)
    this.#countError(connection, reason)
  }

  #countError(connection: Connection, reason: ApnsReason | undefined): void {
    // Apple does not count 410; BadDeviceToken brings the end nearer.
    if (reason === 'Unregistered') return
    if (!reason) connection.errors = Math.max(0, connection.errors - 1)
    else connection.errors += reason === 'BadDeviceToken' ? 2 : 1
    const { errorLimit } = this.#options.faults()
    if (reason && connection.errors >= errorLimit) this.#leave(connection, reason)
  }

  #leave(connection: Connection, reason: string): void {
    const { session, lastStreamId } = connection
    if (connection.leaving || session.destroyed) return
    connection.leaving = true
    session.goaway(0, lastStreamId, Buffer.from(JSON.stringify({ reason })))
    // It announces an end of its own, whose last stream is no later one only once the first has been sent.
    setImmediate(() => session.close())
  }
}

function respond(
  stream: ServerHttp2Stream,
  { status, apnsId }: ApnsRow,
  reason: ApnsReason | undefined,
  goneSinceMs: number | undefined,
): void {
  if (stream.destroyed || stream.closed) return
  if (!reason) {
    stream.respond({ ':status': 200, 'apns-id': apnsId }, { endStream: true })
    return
  }
  stream.respond({ ':status': status, 'apns-id': apnsId })
  stream.end(JSON.stringify({ reason, ...(goneSinceMs !== undefined && { timestamp: Math.floor(goneSinceMs) }) }))
}

/** Starts the APNs stand-in on 127.0.0.1. */
export async function startApns(options: ApnsOptions): Promise<ApnsServer> {
  const server = new Apns(options)
  await server.listen()
  return server
}
