import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import { retryAfterMs } from '../domain/backoff.ts'
import type { ApnsAnswer } from '../domain/verdict.ts'
import { ERROR_BODY_BYTES_MAX, readErrorBody } from './error-body.ts'
import type { ClientIdentity, TransportTimings } from './options.ts'
import type { PushHeaders } from './transport.ts'

/** The payload of every pass push. An empty body would be refused (PayloadEmpty). */
const BODY = Buffer.from('{}')
/** Memory of one session, in megabytes: the default refuses streams well below APNs' limit. */
const SESSION_MEMORY_MB = 100

/** What became of one push. */
export type PushAnswer =
  | ({ readonly kind: 'answered'; readonly atMs: number } & ApnsAnswer)
  | { readonly kind: 'unprocessed' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unsent' }
  | { readonly kind: 'stopped'; readonly reason: string }

/** One push to open. */
export interface PushJob extends PushHeaders {
  /** Hexadecimal token. */
  readonly token: string
  readonly topic: string
  /** Unix seconds. */
  readonly expirationSeconds: number
  /** Called exactly once. */
  readonly settle: (answer: PushAnswer) => void
}

/** connecting: no SETTINGS yet · ready: takes pushes · draining: finishes what it has · closed. */
export type ConnectionState = 'connecting' | 'ready' | 'draining' | 'closed'

/** Told by a connection to its pool. */
export interface ConnectionEvents {
  /** Ready, or a stream became free, or the limit changed. */
  capacity(): void
  /** Takes no new pushes; a replacement is needed. */
  draining(code: number, reason: string): void
  /** Gone. */
  closed(cause: Error | undefined, end: ConnectionEnd): void
}

/** In what state a connection ended. */
export interface ConnectionEnd {
  /** Pushes whose outcome is unknown. */
  readonly lost: number
  /** False for a failed dial. */
  readonly wasReady: boolean
  /** Its end had been announced by `draining`. */
  readonly wasDraining: boolean
}

interface LivePush {
  readonly job: PushJob
  readonly openedAtMs: number
  status: number
  retryAfter: string | undefined
  body: Buffer[]
  bodyBytes: number
}

/** One HTTP/2 connection to APNs. It never opens more streams than the peer's SETTINGS allow at the moment. */
export class Connection {
  readonly #session: ClientHttp2Session
  readonly #timings: TransportTimings
  readonly #events: ConnectionEvents
  readonly #live = new Map<ClientHttp2Stream, LivePush>()
  readonly #sweeper: NodeJS.Timeout
  readonly #dialedAtMs = Date.now()
  #state: ConnectionState = 'connecting'
  #wasReady = false
  #streamLimit = 0
  #goawayLastStream: number | undefined
  #drainingSinceMs = 0
  #lastReadAtMs = Date.now()
  #lastPushAtMs = Date.now()
  #pinging = false
  #answered = 0
  #lost = 0
  #cause: Error | undefined

  constructor(url: string, identity: ClientIdentity, timings: TransportTimings, events: ConnectionEvents) {
    this.#timings = timings
    this.#events = events
    this.#session = connect(url, {
      cert: identity.certPem,
      key: identity.keyPem,
      ...(identity.caPem === undefined ? {} : { ca: identity.caPem }),
      settings: { enablePush: false },
      maxSessionMemory: SESSION_MEMORY_MB,
    })
    this.#session.on('remoteSettings', (settings) => this.#onSettings(settings.maxConcurrentStreams))
    this.#session.on('goaway', (code, lastStream, data) => this.#onGoaway(code, lastStream, data))
    this.#session.on('error', (error) => this.#noteCause(error))
    this.#session.on('close', () => this.#onClose())
    this.#sweeper = setInterval(() => this.#sweep(), timings.sweepMs)
    this.#sweeper.unref()
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** Pushes on the wire. */
  get live(): number {
    return this.#live.size
  }

  /** Pushes that APNs answered here: a connection without any was of no use. */
  get answered(): number {
    return this.#answered
  }

  /** Pushes that may be opened now. */
  get free(): number {
    return this.#state === 'ready' ? Math.max(0, this.#streamLimit - this.#live.size) : 0
  }

  /** Opens a push; the caller has looked at `free`. */
  open(job: PushJob): void {
    let stream: ClientHttp2Stream
    try {
      stream = this.#session.request({
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: `/3/device/${job.token}`,
        'apns-topic': job.topic,
        ...(job.pushType === '' ? {} : { 'apns-push-type': job.pushType }),
        'apns-priority': String(job.priority),
        'apns-expiration': String(job.expirationSeconds),
      })
    } catch (error) {
      // The session began to drain between our look and our request: nothing left this machine.
      this.#drain(0, messageOf(error))
      job.settle({ kind: 'unprocessed' })
      return
    }
    const push: LivePush = { job, openedAtMs: Date.now(), status: 0, retryAfter: undefined, body: [], bodyBytes: 0 }
    this.#live.set(stream, push)
    this.#lastPushAtMs = push.openedAtMs
    stream.on('response', (headers) => {
      push.status = Number(headers[':status'] ?? 0)
      push.retryAfter = headers['retry-after']
    })
    stream.on('data', (part: Buffer) => collectBody(push, part))
    stream.on('error', () => {})
    stream.on('close', () => this.#onStreamClose(stream, push))
    stream.end(BODY)
  }

  /** Takes no new pushes and closes when the last one on the wire has ended. */
  retire(): void {
    if (this.#state === 'connecting') this.#session.destroy()
    else this.#drain(0, 'retired')
  }

  /** Ends at once; what is on the wire is unknown. */
  destroy(cause?: Error): void {
    if (cause !== undefined) this.#noteCause(cause)
    this.#session.destroy()
  }

  #onSettings(maxConcurrentStreams: number | undefined): void {
    this.#lastReadAtMs = Date.now()
    // Without a value the protocol sets no limit; node reports 2^32-1 then.
    this.#streamLimit = maxConcurrentStreams ?? 1
    if (this.#state === 'connecting') {
      this.#state = 'ready'
      this.#wasReady = true
    }
    this.#events.capacity()
  }

  #onGoaway(code: number, lastStream: number, data: Uint8Array | undefined): void {
    this.#goawayLastStream = Math.min(this.#goawayLastStream ?? lastStream, lastStream)
    this.#drain(code, reasonOf(data))
  }

  #drain(code: number, reason: string): void {
    if (this.#state !== 'ready') return
    this.#state = 'draining'
    this.#drainingSinceMs = Date.now()
    if (!this.#session.closed) this.#session.close()
    this.#events.draining(code, reason)
  }

  #onStreamClose(stream: ClientHttp2Stream, push: LivePush): void {
    if (!this.#live.delete(stream)) return
    this.#lastReadAtMs = Date.now()
    const answer = this.#answerOf(stream, push)
    this.#settle(push, answer)
    this.#events.capacity()
  }

  #settle(push: LivePush, answer: PushAnswer): void {
    if (answer.kind === 'answered') this.#answered += 1
    if (answer.kind === 'unknown') this.#lost += 1
    push.job.settle(answer)
  }

  #answerOf(stream: ClientHttp2Stream, push: LivePush): PushAnswer {
    const complete = push.status !== 0 && stream.rstCode === constants.NGHTTP2_NO_ERROR && stream.readableEnded
    // A 200 has no body: its status is all there is to know.
    if (complete || push.status === 200) {
      const atMs = Date.now()
      const { reason, timestampMs } = readErrorBody(Buffer.concat(push.body))
      const waitMs = retryAfterMs(push.retryAfter, atMs)
      return { kind: 'answered', atMs, status: push.status, reason, timestampMs, retryAfterMs: waitMs }
    }
    const id = stream.id ?? 0
    const above = this.#goawayLastStream !== undefined && id > this.#goawayLastStream
    if (above || stream.rstCode === constants.NGHTTP2_REFUSED_STREAM || id === 0) return { kind: 'unprocessed' }
    return { kind: 'unknown' }
  }

  #onClose(): void {
    if (this.#state === 'closed') return
    const wasDraining = this.#state === 'draining'
    this.#state = 'closed'
    clearInterval(this.#sweeper)
    for (const [stream, push] of [...this.#live]) {
      this.#live.delete(stream)
      this.#settle(push, this.#answerOf(stream, push))
    }
    this.#events.closed(this.#cause, { lost: this.#lost, wasReady: this.#wasReady, wasDraining })
  }

  /** One timer per connection instead of one per push: pushes are kept in the order of opening. */
  #sweep(): void {
    const now = Date.now()
    if (this.#state === 'connecting') {
      if (now - this.#dialedAtMs > this.#timings.handshakeMs) this.destroy(new Error('handshake timed out'))
      return
    }
    if (this.#state === 'draining' && now - this.#drainingSinceMs > this.#timings.drainMs) {
      this.destroy(new Error('drain timed out'))
      return
    }
    const [oldest] = this.#live.values()
    const overdue = oldest !== undefined && now - oldest.openedAtMs > this.#timings.pushMs
    if (overdue || now - this.#lastReadAtMs > this.#timings.idlePingMs) this.#probe(overdue)
    if (this.#live.size === 0 && now - this.#lastPushAtMs > this.#timings.idleCloseMs) this.retire()
  }

  /**
   * Asks whether the peer is there. If it is not, the connection goes; if it is, only the overdue pushes go:
   * resetting a thousand streams would look like an attack.
   */
  #probe(cancelOverdue: boolean): void {
    if (this.#pinging || this.#session.destroyed) return
    this.#pinging = true
    const timer = setTimeout(() => this.destroy(new Error('no answer to a PING')), this.#timings.pingMs)
    const sent = this.#session.ping((error) => {
      clearTimeout(timer)
      this.#pinging = false
      if (error !== null) return
      this.#lastReadAtMs = Date.now()
      if (cancelOverdue) this.#cancelOverdue()
    })
    if (!sent) {
      clearTimeout(timer)
      this.#pinging = false
    }
  }

  #cancelOverdue(): void {
    const limit = Date.now() - this.#timings.pushMs
    for (const [stream, push] of this.#live) {
      if (push.openedAtMs > limit) return
      stream.close(constants.NGHTTP2_CANCEL)
    }
  }

  #noteCause(error: Error): void {
    this.#cause ??= error
  }
}

function collectBody(push: LivePush, part: Buffer): void {
  push.bodyBytes += part.length
  if (push.bodyBytes <= ERROR_BODY_BYTES_MAX) push.body.push(part)
}

function reasonOf(data: Uint8Array | undefined): string {
  return data === undefined ? '' : readErrorBody(data).reason
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
