import { backoffMs } from '../domain/backoff.ts'
import { isCredentialReason, isTlsRefusal } from '../domain/verdict.ts'
import { Connection, type ConnectionEnd, type PushJob } from './connection.ts'
import type { ClientIdentity, TransportEvents, TransportTimings } from './options.ts'

/** Most pushes that wait for a free stream in one pool: what two full chunks and their repeats need, with room. */
export const POOL_QUEUE_MAX = 100_000

/** What a pool is made of. */
export interface PoolOptions {
  /** Slug of the brand. */
  readonly brand: string
  /** Origin of APNs. */
  readonly url: string
  /** Connections kept while there is work. */
  readonly connections: number
  readonly timings: TransportTimings
  readonly events: TransportEvents
  /** The brand's identity now; undefined while it has none. */
  identity(): ClientIdentity | undefined
  /** A connection was refused for the credential's sake. */
  refused(reason: string): void
}

/** A push in the queue; `batch` lets a whole batch be withdrawn. */
export interface QueuedPush extends PushJob {
  readonly batch: object
}

/** The connections of one brand and lane. */
export class Pool {
  readonly #options: PoolOptions
  readonly #connections = new Set<Connection>()
  #queue: QueuedPush[] = []
  #head = 0
  #failedDials = 0
  #redial: NodeJS.Timeout | undefined
  #closed = false
  #pumping = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /** Pushes waiting for a stream. */
  get queued(): number {
    return this.#queue.length - this.#head
  }

  /** Queues pushes, in order. */
  push(jobs: readonly QueuedPush[]): void {
    for (const job of jobs) this.#queue.push(job)
    this.#pump()
  }

  /** Takes back what is still queued of a batch. */
  withdraw(batch: object): readonly QueuedPush[] {
    const waiting = this.#queue.slice(this.#head)
    this.#queue = waiting.filter((job) => job.batch !== batch)
    this.#head = 0
    return waiting.filter((job) => job.batch === batch)
  }

  /** Takes back all that is queued. */
  withdrawAll(): readonly QueuedPush[] {
    const waiting = this.#queue.slice(this.#head)
    this.#queue = []
    this.#head = 0
    return waiting
  }

  /** Lets new connections take over, with whatever identity is valid now. */
  renew(): void {
    for (const connection of this.#connections) connection.retire()
    this.#failedDials = 0
    this.#clearRedial()
    this.#pump()
  }

  /** Ends all connections; what is on the wire is settled as unknown. */
  close(): void {
    this.#closed = true
    this.#clearRedial()
    for (const connection of this.#connections) connection.destroy()
  }

  #pump(): void {
    // A settled push may queue its repetition: the outer call goes on with it.
    if (this.#pumping || this.#closed) return
    this.#pumping = true
    try {
      for (;;) {
        const connection = this.queued > 0 ? this.#leastBusy() : undefined
        const job = connection === undefined ? undefined : this.#queue[this.#head]
        if (connection === undefined || job === undefined) break
        this.#head += 1
        connection.open(job)
      }
      if (this.#head > 1_024 && this.#head * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#head)
        this.#head = 0
      }
      this.#dial()
    } finally {
      this.#pumping = false
    }
  }

  #leastBusy(): Connection | undefined {
    let best: Connection | undefined
    for (const connection of this.#connections) {
      if (connection.free > 0 && (best === undefined || connection.live < best.live)) best = connection
    }
    return best
  }

  /** Dials what is missing, one at a time: the next one when this one is ready. */
  #dial(): void {
    if (this.#closed || this.#redial !== undefined || this.queued === 0) return
    let usable = 0
    for (const { state } of this.#connections) {
      if (state === 'connecting') return
      if (state === 'ready') usable += 1
    }
    if (usable < this.#options.connections) this.#connect()
  }

  #connect(): void {
    const { url, brand, timings, events, refused } = this.#options
    let connection: Connection
    try {
      const identity = this.#options.identity()
      if (identity === undefined) {
        refused('no certificate')
        return
      }
      connection = new Connection(url, identity, timings, {
        capacity: () => this.#pump(),
        draining: (code, reason) => {
          events.goaway(brand, code, reason)
          if (isCredentialReason(reason)) refused(reason)
          this.#replace(connection, true)
        },
        closed: (cause, end) => this.#onClosed(connection, cause, end),
      })
    } catch (error) {
      // Not for this host, or key and certificate do not fit each other.
      refused(error instanceof Error ? error.message : String(error))
      return
    }
    this.#connections.add(connection)
    events.dialed(brand)
  }

  #onClosed(connection: Connection, cause: Error | undefined, end: ConnectionEnd): void {
    const { brand, events, refused } = this.#options
    this.#connections.delete(connection)
    if (end.lost > 0) events.lost(brand, end.lost, cause?.message ?? 'closed')
    if (!end.wasReady && cause !== undefined) events.dialFailed(brand, cause.message)
    const code = cause !== undefined && 'code' in cause ? String(cause.code) : ''
    if (isTlsRefusal(code)) refused(code)
    if (!end.wasDraining) this.#replace(connection, end.wasReady)
  }

  /** Dials anew when there is work: at once after a connection that was of use, later after one that was not. */
  #replace(connection: Connection, wasReady: boolean): void {
    if (connection.answered > 0) this.#failedDials = 0
    else this.#failedDials += 1
    if (this.#failedDials === 0 || (wasReady && this.#failedDials === 1)) {
      this.#pump()
      return
    }
    const { dialBaseMs, dialMaxMs } = this.#options.timings
    const waitMs = backoffMs(this.#failedDials, { baseMs: dialBaseMs, maxMs: dialMaxMs }, Math.random())
    this.#clearRedial()
    if (this.#closed) return
    this.#redial = setTimeout(() => {
      this.#redial = undefined
      this.#pump()
    }, waitMs)
  }

  #clearRedial(): void {
    clearTimeout(this.#redial)
    this.#redial = undefined
  }
}
