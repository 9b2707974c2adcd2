import type { LookupFunction } from 'node:net'
import { Connection, type ConnectionEvents } from '../connection/connection.ts'
import { completeLimits, completeTimings, type Limits, type Timings, type TlsIdentity } from '../connection/options.ts'
import { H2PushError } from '../errors.ts'
import { ErrorCode } from '../protocol/constants.ts'
import type { RequestBlock } from '../request/block.ts'
import type { RequestOutcome } from '../request/outcome.ts'
import { type RequestOptions, SingleRequest } from '../request/single.ts'
import { WriteBuffers } from '../session/write-buffers.ts'
import { dialDelayMs, isAmple, isStarved, type Load, wantedConnections } from './scale.ts'
import { WorkQueue } from './work-queue.ts'

/** Most connections of one pool. */
const CONNECTIONS_MAX = 256
/** A peer that asks for calm gets no new request for so long, in milliseconds. */
const CALM_MS = 1_000

/** What a pool tells about its connections. All are optional. */
export interface PoolEvents {
  /** A connection is dialled. */
  dialed(): void
  /** It takes requests. */
  ready(): void
  /** It came to nothing. */
  dialFailed(error: H2PushError): void
  /** The peer takes no further requests on a connection; `reason` is that of its debug data, often empty. */
  goaway(code: number, reason: string): void
  /** A connection that was ready is gone; `unknown` requests on it ended as unknown. */
  closed(error: H2PushError | undefined, unknown: number): void
}

/** What a pool is made of. */
export interface PoolOptions {
  /** Such as https://api.push.apple.com. */
  readonly origin: string
  /** The identity to dial with, asked at each dial; undefined while there is none. */
  identity(): TlsIdentity | undefined
  /** Connections kept while there is nothing to do; default 0. */
  readonly connectionsMin?: number
  /** Default 4, at most 256. */
  readonly connectionsMax?: number
  readonly timings?: Partial<Timings>
  readonly limits?: Partial<Limits>
  /** One request until the first 2xx of a connection, as APNs asks of token authentication; default false. */
  readonly probeFirst?: boolean
  /** Resolves the host at each dial; default node's, which keeps nothing from dial to dial. */
  readonly lookup?: LookupFunction
  readonly events?: Partial<PoolEvents>
}

/** Connections by what they are doing. */
export interface ConnectionCounts {
  readonly connecting: number
  readonly ready: number
  readonly draining: number
}

/**
 * The connections to one host with one identity, and the queue before them. It dials when there is work, grows while
 * requests keep waiting, replaces a connection as soon as the peer says that it will close it, and sends again by
 * itself what was certainly not processed.
 */
export class Pool implements AsyncDisposable {
  readonly #options: PoolOptions
  readonly #timings: Timings
  readonly #limits: Limits
  readonly #host: string
  readonly #port: number
  readonly #authority: string
  readonly #connectionsMin: number
  readonly #connectionsMax: number
  readonly #queue: WorkQueue
  readonly #buffers = new WriteBuffers()
  readonly #connections = new Set<Connection>()
  /** Connections with an identity that is replaced; they go when a newer one is ready. */
  readonly #outdated = new Set<Connection>()
  /** Connections whose successor was dialled. */
  readonly #replaced = new WeakSet<Connection>()
  readonly #sweeper: NodeJS.Timeout
  readonly #events: ConnectionEvents
  #failures = 0
  #dialNotBeforeMs = 0
  #redial: NodeJS.Timeout | undefined
  #wanted: number
  #starvedLooks = 0
  #ampleSinceMs = Date.now()
  #disposed = false

  /** Throws H2PushError `invalid` naming the field. Dials when there is work, or at once with `connectionsMin`. */
  constructor(options: PoolOptions) {
    const url = URL.canParse(options.origin) ? new URL(options.origin) : undefined
    if (url?.protocol !== 'https:') throw new H2PushError('invalid', 'origin: an https origin')
    const { connectionsMin = 0, connectionsMax = 4 } = options
    if (!(Number.isInteger(connectionsMax) && connectionsMax >= 1 && connectionsMax <= CONNECTIONS_MAX))
      throw new H2PushError('invalid', `connectionsMax: 1 to ${CONNECTIONS_MAX}`)
    if (!(Number.isInteger(connectionsMin) && connectionsMin >= 0 && connectionsMin <= connectionsMax))
      throw new H2PushError('invalid', 'connectionsMin: 0 to connectionsMax')
    this.#options = options
    this.#timings = completeTimings(options.timings ?? {})
    this.#limits = completeLimits(options.limits ?? {})
    this.#host = url.hostname.replace(/^\[|\]$/g, '')
    this.#port = Number(url.port || 443)
    this.#authority = url.host
    this.#connectionsMin = connectionsMin
    this.#connectionsMax = connectionsMax
    this.#wanted = connectionsMin
    this.#queue = new WorkQueue(this.#limits.queuedMax)
    this.#queue.onReturned = () => this.#wake()
    this.#events = {
      ready: (connection) => this.#onReady(connection),
      goaway: (connection, code, reason) => this.#onGoaway(connection, code, reason),
      calm: () => this.#calm(),
      closed: (connection, error) => this.#onClosed(connection, error),
    }
    this.#sweeper = setInterval(() => this.#sweep(), this.#timings.sweepMs)
    this.#sweeper.unref()
    this.#dialMissing()
  }

  /** Requests that wait. */
  get queued(): number {
    return this.#queue.queued
  }

  /** Requests that may be submitted now. */
  get room(): number {
    return this.#queue.room
  }

  /** Requests on the wire. */
  get inFlight(): number {
    let live = 0
    for (const connection of this.#connections) live += connection.live
    return live
  }

  /** Connections by state. */
  get connections(): ConnectionCounts {
    const counts = { connecting: 0, ready: 0, draining: 0, closed: 0 }
    for (const { state } of this.#connections) counts[state.kind] += 1
    return counts
  }

  /** Resolves when half of the queue is free. */
  whenRoom(): Promise<void> {
    return this.#queue.whenRoom()
  }

  /** Queues a block; `block.done` resolves when each of its requests has ended. Throws H2PushError `queue_full`, `disposed`. */
  submit(block: RequestBlock): void {
    this.#expectOpen()
    this.#queue.addBlock(block)
    this.#wake()
  }

  /** One request with a promise of its own, which never rejects. Throws H2PushError `invalid`, `queue_full`, `disposed`. */
  request(options: RequestOptions): Promise<RequestOutcome> {
    this.#expectOpen()
    const make = (): SingleRequest => new SingleRequest(options, this.#authority, this.#timings.requestMs)
    const { outcome } = this.#queue.addSingle(make)
    this.#wake()
    return outcome
  }

  /**
   * The identity changed: connections with the new one take over, and those with the old one finish what they have
   * once a new one is ready. Forgets failed dials.
   */
  renew(): void {
    this.#failures = 0
    this.#dialNotBeforeMs = 0
    for (const connection of this.#connections) {
      if (connection.state.kind === 'connecting') connection.destroy(undefined)
      if (connection.state.kind === 'ready') this.#outdated.add(connection)
    }
    if (this.#outdated.size > 0 || this.queued > 0) this.#dial()
  }

  /** Waits until nothing is queued or on the wire, `timeoutMs` at the most; true when all has ended. */
  async drain(timeoutMs: number): Promise<boolean> {
    const deadlineAtMs = Date.now() + timeoutMs
    while (this.queued + this.inFlight > 0 && Date.now() < deadlineAtMs)
      await new Promise((resolve) => setTimeout(resolve, Math.min(10, timeoutMs)))
    return this.queued + this.inFlight === 0
  }

  /** Ends at once: what waits is not processed, what is on the wire unknown. `drain` first to avoid that. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    clearInterval(this.#sweeper)
    clearTimeout(this.#redial)
    this.#queue.end('the pool was disposed of')
    for (const connection of this.#connections) connection.destroy(undefined)
  }

  #expectOpen(): void {
    if (this.#disposed) throw new H2PushError('disposed', 'the pool was disposed of')
  }

  #wake(): void {
    if (this.#disposed) return
    for (const connection of this.#connections) connection.wake()
    this.#dialMissing()
  }

  /** Dials one connection if one is missing and none is on its way. */
  #dialMissing(): void {
    const { connecting, ready } = this.connections
    if (this.queued > 0 || this.#outdated.size > 0) this.#wanted = Math.max(1, this.#wanted)
    if (connecting === 0 && ready - this.#outdated.size < this.#wanted) this.#dial()
  }

  #dial(): void {
    if (this.#disposed || this.connections.connecting + this.connections.ready >= this.#connectionsMax * 2) return
    const waitMs = this.#dialNotBeforeMs - Date.now()
    if (waitMs > 0) {
      this.#redial ??= setTimeout(() => {
        this.#redial = undefined
        this.#dialMissing()
      }, waitMs)
      return
    }
    try {
      this.#connections.add(this.#connect())
    } catch (error) {
      const failure =
        error instanceof H2PushError ? error : new H2PushError('identity', String(error), { cause: error })
      this.#onDialFailed(failure)
      return
    }
    this.#options.events?.dialed?.()
  }

  #connect(): Connection {
    const identity = this.#options.identity()
    if (identity === undefined) throw new H2PushError('identity', 'there is no identity to dial with')
    const options = {
      host: this.#host,
      port: this.#port,
      identity,
      timings: this.#timings,
      limits: this.#limits,
      probeFirst: this.#options.probeFirst ?? false,
      lookup: this.#options.lookup,
    }
    return new Connection(options, this.#queue, this.#buffers, this.#events)
  }

  #onReady(connection: Connection): void {
    this.#countReady()
    this.#options.events?.ready?.()
    for (const old of this.#outdated) old.retire()
    this.#outdated.clear()
    connection.wake()
    this.#dialMissing()
  }

  #onGoaway(connection: Connection, code: number, reason: string): void {
    this.#outdated.delete(connection)
    this.#countReady()
    if (code === ErrorCode.enhanceYourCalm) this.#calm()
    this.#options.events?.goaway?.(code, reason)
    this.#replace(connection)
  }

  #onClosed(connection: Connection, error: H2PushError | undefined): void {
    this.#connections.delete(connection)
    this.#outdated.delete(connection)
    this.#countReady()
    if (this.#disposed) return
    if (connection.wasReady) this.#options.events?.closed?.(error, connection.unknown)
    else if (error !== undefined) this.#onDialFailed(error)
    if (this.#replaced.has(connection)) {
      if (connection.answered > 0) this.#failures = 0
      else if (connection.unknown > 0) this.#countUseless()
    }
    if (connection.wasReady && error !== undefined) this.#replace(connection)
    // Closed for being idle: it comes back when there is work.
    else if (this.connections.ready === 0) this.#wanted = this.#connectionsMin
  }

  /** A connection takes nothing more: another one is dialled, at once after one that was of use, later after one that was not. */
  #replace(connection: Connection): void {
    if (this.#replaced.has(connection)) return
    this.#replaced.add(connection)
    // Told to go before its first answer: what is on it decides when it is closed.
    if (connection.answered + connection.live === 0) this.#countUseless()
    if (connection.answered > 0) this.#failures = 0
    // One after another: many that were told to go at once do not come back at once.
    this.#dialMissing()
  }

  /** A connection that was ready answered nothing; one may be chance. */
  #countUseless(): void {
    this.#failures += 1
    if (this.#failures > 1) this.#delayDial()
  }

  #onDialFailed(error: H2PushError): void {
    this.#failures += 1
    this.#delayDial()
    this.#options.events?.dialFailed?.(error)
    if (this.queued > 0 || this.#outdated.size > 0 || this.#connectionsMin > 0) this.#dial()
  }

  #delayDial(): void {
    const { dialBaseMs, dialMaxMs } = this.#timings
    this.#dialNotBeforeMs = Date.now() + dialDelayMs(this.#failures, dialBaseMs, dialMaxMs, Math.random())
  }

  #calm(): void {
    this.#queue.pausedUntilMs = Date.now() + CALM_MS
    this.#dialNotBeforeMs = Math.max(this.#dialNotBeforeMs, this.#queue.pausedUntilMs)
  }

  #countReady(): void {
    this.#queue.readyConnections = this.connections.ready
  }

  #sweep(): void {
    const nowMs = Date.now()
    this.#queue.sweep(nowMs)
    for (const connection of this.#connections) connection.sweep(nowMs)
    this.#scale(nowMs)
    if (this.#queue.pausedUntilMs > 0 && nowMs >= this.#queue.pausedUntilMs) this.#queue.pausedUntilMs = 0
    if (this.queued > 0) this.#wake()
  }

  #scale(nowMs: number): void {
    const load = this.#measure(nowMs)
    this.#starvedLooks = isStarved(load) ? this.#starvedLooks + 1 : 0
    if (!isAmple(load)) this.#ampleSinceMs = nowMs
    const wanted = wantedConnections({ ...load, starvedLooks: this.#starvedLooks })
    const isFewer = wanted < this.#wanted
    this.#wanted = wanted
    if (!isFewer) return
    this.#ampleSinceMs = nowMs
    let idlest: Connection | undefined
    for (const connection of this.#connections)
      if (connection.state.kind === 'ready' && connection.live <= (idlest?.live ?? connection.live)) idlest = connection
    idlest?.retire()
    this.#countReady()
  }

  #measure(nowMs: number): Load {
    let ready = 0
    let live = 0
    let free = 0
    let streamLimit = 1
    for (const connection of this.#connections) {
      live += connection.live
      if (connection.state.kind !== 'ready') continue
      ready += 1
      free += connection.free
      streamLimit = Math.max(streamLimit, connection.streamLimit)
    }
    const { queued } = this
    const amplyMs = nowMs - this.#ampleSinceMs
    const { shrinkMs } = this.#timings
    const bounds = { connectionsMin: this.#connectionsMin, connectionsMax: this.#connectionsMax, shrinkMs }
    return {
      wanted: this.#wanted,
      ready,
      queued,
      free,
      live,
      streamLimit,
      starvedLooks: this.#starvedLooks,
      amplyMs,
      ...bounds,
    }
  }
}
