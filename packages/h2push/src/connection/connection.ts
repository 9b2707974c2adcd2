import { isIP, type OnReadOpts } from 'node:net'
import { connect, type TLSSocket, type ConnectionOptions as TlsOptions } from 'node:tls'
import { H2PushError } from '../errors.ts'
import { ErrorCode } from '../protocol/constants.ts'
import type { SessionHost, WorkSource } from '../session/host.ts'
import { Session } from '../session/session.ts'
import type { WriteBuffer, WriteBuffers } from '../session/write-buffers.ts'
import type { ConnectionOptions } from './options.ts'

/** Bytes that one read takes from the socket. */
const READ_BYTES = 65_536
/** A refill that was put off because little was free comes at the latest after this, in milliseconds. */
const LATE_FILL_MS = 2
/** How long the last bytes may take to leave, in milliseconds. */
const LINGER_MS = 1_000
/** Bytes that may wait before the socket; a peer that reads so slowly is given up. */
const BACKLOG_BYTES_MAX = 16 * 1_048_576

/** `onread` works with TLS, though its types do not say so. */
type ConnectOptions = TlsOptions & { readonly onread: OnReadOpts }

/** What a connection is doing. */
export type ConnectionState =
  /** TCP, TLS and the peer's first SETTINGS are under way. */
  | { readonly kind: 'connecting'; readonly sinceMs: number }
  /** Takes requests. */
  | { readonly kind: 'ready'; readonly sinceMs: number }
  /** Takes none, finishes what it has. */
  | { readonly kind: 'draining'; readonly sinceMs: number }
  /** Gone; `error` is undefined after an orderly end. */
  | { readonly kind: 'closed'; readonly error: H2PushError | undefined }

/** Told to the pool. */
export interface ConnectionEvents {
  ready(connection: Connection): void
  /** The peer takes no further requests. */
  goaway(connection: Connection, code: number, reason: string): void
  /** The peer asks for fewer requests. */
  calm(connection: Connection): void
  closed(connection: Connection, error: H2PushError | undefined): void
}

/** One TLS connection and the HTTP/2 session on it. */
export class Connection implements SessionHost {
  readonly source: WorkSource
  readonly #options: ConnectionOptions
  readonly #events: ConnectionEvents
  readonly #socket: TLSSocket
  readonly #session: Session
  readonly #buffers: WriteBuffers
  #state: ConnectionState = { kind: 'connecting', sinceMs: Date.now() }
  /** The TLS handshake is over. */
  #secured = false
  #wasReady = false
  #lastReadAtMs = Date.now()
  #lastWorkAtMs = Date.now()
  #tickedAtMs = 0
  #sweptAtMs = Date.now()
  #pingSentAtMs = 0
  #fillScheduled = false
  #lateFill: NodeJS.Timeout | undefined
  #error: H2PushError | undefined

  /** Dials at once. Throws when key and certificate do not fit each other. */
  constructor(options: ConnectionOptions, source: WorkSource, buffers: WriteBuffers, events: ConnectionEvents) {
    this.source = source
    this.#options = options
    this.#events = events
    this.#buffers = buffers
    const { limits, probeFirst } = options
    const { headerTableBytes, streamWindowBytes, headerListBytesMax, streamsMax, bodyBytesMax } = limits
    const local = { headerTableBytes, streamWindowBytes, headerListBytesMax }
    this.#session = new Session(this, { local, streamsMax, bodyBytesMax, probeFirst }, buffers)
    this.#socket = this.#dial()
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** Requests on the wire. */
  get live(): number {
    return this.#session.live
  }

  /** Requests that it would take now. */
  get free(): number {
    return this.#session.free
  }

  /** Streams that it may have at once. */
  get streamLimit(): number {
    return this.#session.streamLimit
  }

  /** Complete responses so far: a connection without any was of no use. */
  get answered(): number {
    return this.#session.answered
  }

  /** Requests that ended as unknown. */
  get unknown(): number {
    return this.#session.unknown
  }

  /** Whether it ever took requests. */
  get wasReady(): boolean {
    return this.#wasReady
  }

  /** There may be work. */
  wake(): void {
    if (this.#state.kind === 'ready') this.scheduleFill()
  }

  /** Takes no new requests and closes when the last one has ended. */
  retire(): void {
    if (this.#state.kind === 'connecting') this.destroy(undefined)
    else this.#drain()
  }

  /** Ends at once: what is on the wire is unknown. */
  destroy(error: H2PushError | undefined): void {
    this.#error ??= error
    this.#session.abort(error?.h2Code ?? ErrorCode.noError, error?.message ?? 'closed by us')
    this.#endSocket(error?.code !== 'ping_timeout' && this.#secured)
    this.#close()
  }

  /** Looks at deadlines and idleness. */
  sweep(nowMs: number): void {
    if (nowMs - this.#tickedAtMs >= 1_000) {
      this.#tickedAtMs = nowMs
      this.#session.tick()
    }
    if (this.#state.kind === 'closed' || this.#stoodStill(nowMs)) return
    const error = this.#overdue(nowMs)
    if (error !== undefined) this.destroy(error)
    else if (this.#state.kind !== 'connecting') this.#keepAlive(nowMs)
  }

  /** Whether the whole process did, so that what came meanwhile is not read yet. Never twice in a row. */
  #stoodStill(nowMs: number): boolean {
    const isLate = nowMs - this.#sweptAtMs > this.#options.timings.sweepMs * 2
    this.#sweptAtMs = isLate ? Number.POSITIVE_INFINITY : nowMs
    return isLate
  }

  /** Why the connection must end, if it must. */
  #overdue(nowMs: number): H2PushError | undefined {
    const { handshakeMs, drainMs, pingMs } = this.#options.timings
    const state = this.#state
    const stateMs = state.kind === 'closed' ? 0 : nowMs - state.sinceMs
    if (state.kind === 'connecting' && stateMs > handshakeMs)
      return new H2PushError('handshake_timeout', `no SETTINGS within ${handshakeMs} ms`)
    if (state.kind === 'ready' && !this.#session.settingsAcked && stateMs > handshakeMs)
      return new H2PushError('protocol', 'SETTINGS not acknowledged', { h2Code: ErrorCode.settingsTimeout })
    if (state.kind === 'draining' && stateMs > drainMs)
      return new H2PushError('drain_timeout', `not drained within ${drainMs} ms`)
    if (this.#pingSentAtMs > 0 && nowMs - this.#pingSentAtMs > pingMs)
      return new H2PushError('ping_timeout', `no answer to a PING within ${pingMs} ms`)
    return this.#socket.writableLength > BACKLOG_BYTES_MAX
      ? new H2PushError('ping_timeout', 'the peer does not read')
      : undefined
  }

  #keepAlive(nowMs: number): void {
    const { idleCloseMs, requestMs, quietMs, idlePingMs } = this.#options.timings
    const { live } = this.#session
    if (live > 0) this.#lastWorkAtMs = nowMs
    if (nowMs - this.#lastWorkAtMs > idleCloseMs) this.retire()
    const isOverdue = live > 0 && nowMs - this.#session.oldestAtMs() > requestMs
    const isQuiet = nowMs - this.#lastReadAtMs >= (live > 0 ? quietMs : idlePingMs)
    if (this.#pingSentAtMs > 0 || !(isOverdue || isQuiet)) return
    this.#pingSentAtMs = nowMs
    this.#session.ping(new Uint8Array(8))
  }

  // What the session needs of its host.

  get backlogBytes(): number {
    return this.#socket.writableLength
  }

  now(): number {
    return Date.now()
  }

  write(bytes: Uint8Array, buffer?: WriteBuffer): void {
    if (buffer === undefined) {
      if (this.#socket.writable) this.#socket.write(bytes)
      return
    }
    this.#socket.write(bytes, (error) => {
      // After an error the system may still hold the bytes: such a buffer is left to the garbage collector.
      if (error === null || error === undefined) this.#buffers.put(buffer)
      this.#session.released()
    })
  }

  scheduleFill(): void {
    if (this.#fillScheduled) return
    this.#fillScheduled = true
    setImmediate(() => {
      this.#fillScheduled = false
      this.#session.fill(false)
    })
  }

  scheduleLateFill(): void {
    this.#lateFill ??= setTimeout(() => {
      this.#lateFill = undefined
      this.#session.fill(true)
    }, LATE_FILL_MS)
  }

  onReady(): void {
    this.#state = { kind: 'ready', sinceMs: Date.now() }
    this.#wasReady = true
    this.#events.ready(this)
  }

  onGoaway(code: number, reason: string): void {
    this.#drain()
    this.#events.goaway(this, code, reason)
  }

  onCalm(): void {
    this.#events.calm(this)
  }

  onPong(): void {
    this.#pingSentAtMs = 0
    const { requestMs } = this.#options.timings
    const abandoned = this.#session.expire(Date.now() - requestMs)
    // Streams that nobody waits for take the place of others: a fresh connection has none.
    if (abandoned * 2 > this.streamLimit) this.retire()
  }

  onDrained(): void {
    this.#session.abort(ErrorCode.noError, 'drained')
    this.#endSocket(true)
    this.#close()
  }

  #dial(): TLSSocket {
    const { host, port, identity, lookup } = this.#options
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
    const options: ConnectOptions = {
      host,
      port,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ALPNProtocols: ['h2'],
      minVersion: 'TLSv1.2',
      ...(identity.certPem === undefined ? {} : { cert: identity.certPem }),
      ...(identity.keyPem === undefined ? {} : { key: identity.keyPem }),
      ...(identity.caPem === undefined ? {} : { ca: identity.caPem }),
      ...(lookup === undefined ? {} : { lookup }),
      onread: { buffer, callback: (bytes) => this.#onRead(bytes, buffer) },
    }
    const socket = connect(options)
    socket.setNoDelay(true)
    socket.on('secureConnect', () => this.#onSecure())
    socket.on('drain', () => this.scheduleFill())
    socket.on('error', (error) => this.#onError(error))
    socket.on('close', () => this.destroy(this.#secured ? closedByPeer() : new H2PushError('dial', 'closed at once')))
    return socket
  }

  #onSecure(): void {
    this.#secured = true
    if (this.#socket.alpnProtocol === 'h2') this.#session.start()
    else this.destroy(new H2PushError('alpn', 'the peer does not speak HTTP/2'))
  }

  #onRead(bytes: number, buffer: Buffer): boolean {
    this.#lastReadAtMs = Date.now()
    try {
      this.#session.receive(buffer, bytes)
    } catch (error) {
      if (!(error instanceof H2PushError)) throw error
      this.destroy(error)
    }
    return true
  }

  #onError(error: Error & { readonly code?: string }): void {
    if (this.#state.kind === 'closed') return
    if (this.#secured) {
      // With TLS 1.3 a refused client certificate is told after the handshake.
      const isAlert = error.code?.startsWith('ERR_SSL_') === true
      this.destroy(new H2PushError(isAlert ? 'tls' : 'closed', error.message, { cause: error }))
      return
    }
    const isSystem = 'syscall' in error && error.code !== undefined && !error.code.startsWith('ERR_')
    const isReset = isSystem && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
    this.destroy(new H2PushError(isSystem && !isReset ? 'dial' : 'tls', error.message, { cause: error }))
  }

  #drain(): void {
    if (this.#state.kind !== 'ready') return
    this.#state = { kind: 'draining', sinceMs: Date.now() }
    this.#session.drain()
  }

  /** What was written (a GOAWAY with the reason) still leaves, where the peer reads. */
  #endSocket(gently: boolean): void {
    if (!gently) {
      this.#socket.destroy()
      return
    }
    this.#socket.destroySoon()
    setTimeout(() => this.#socket.destroy(), LINGER_MS).unref()
  }

  #close(): void {
    if (this.#state.kind === 'closed') return
    this.#state = { kind: 'closed', error: this.#error }
    clearTimeout(this.#lateFill)
    this.#events.closed(this, this.#error)
  }
}

function closedByPeer(): H2PushError {
  return new H2PushError('closed', 'closed by the peer')
}
