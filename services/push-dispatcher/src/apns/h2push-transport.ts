import type { H2PushError } from '@stampede/h2push'
import { isCredentialReason, isTlsRefusal } from '../domain/verdict.ts'
import { BrandStops } from './brand-stops.ts'
import { LanePool } from './lane-pool.ts'
import type { TransportOptions } from './options.ts'
import {
  AnswerKind,
  type ApnsTransport,
  answersOfOneKind,
  type Lane,
  type PushAnswers,
  type PushBatch,
} from './transport.ts'

/** What the connections of a lane are doing, all brands together. */
export interface LaneLoad {
  readonly connecting: number
  readonly ready: number
  readonly draining: number
  /** Pushes on the wire. */
  readonly inFlight: number
}

/** ApnsTransport on the push core: connections per brand and lane, since each brand has a certificate of its own. */
export class H2PushTransport implements ApnsTransport {
  readonly #options: TransportOptions
  readonly #pools: Readonly<Record<Lane, Map<string, LanePool>>> = { tx: new Map(), bulk: new Map() }
  readonly #stops: BrandStops

  constructor(options: TransportOptions) {
    this.#options = options
    this.#stops = new BrandStops(options.timings.stopProbeMs, options.events.stopped)
  }

  async send(batch: PushBatch): Promise<PushAnswers> {
    const size = batch.tokens.length / batch.tokenBytes
    const reason = this.stopped(batch.brand)
    if (reason !== undefined) return answersOfOneKind(size, AnswerKind.stopped, reason)
    if (batch.signal.aborted) return answersOfOneKind(size, AnswerKind.unsent)
    return this.#pool(batch.brand, batch.lane).send(batch)
  }

  stop(brand: string, reason: string): void {
    if (!this.#stops.stop(brand, reason)) return
    for (const pool of this.#poolsOf(brand)) pool.stop(reason)
  }

  stopped(brand: string): string | undefined {
    return this.#stops.reason(brand)
  }

  /** The brand's certificate changed: new connections take over, and a stopped brand is set free. */
  renew(brand: string): void {
    this.#stops.release(brand)
    for (const pool of this.#poolsOf(brand)) pool.renew()
  }

  /** What the connections of a lane are doing now. */
  load(lane: Lane): LaneLoad {
    const sum = { connecting: 0, ready: 0, draining: 0, inFlight: 0 }
    for (const pool of this.#pools[lane].values()) {
      const { connecting, ready, draining } = pool.connections
      sum.connecting += connecting
      sum.ready += ready
      sum.draining += draining
      sum.inFlight += pool.inFlight
    }
    return sum
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const pools = [...this.#pools.tx.values(), ...this.#pools.bulk.values()]
    await Promise.all(pools.map((pool) => pool[Symbol.asyncDispose]()))
    this.#pools.tx.clear()
    this.#pools.bulk.clear()
  }

  #poolsOf(brand: string): readonly LanePool[] {
    return [this.#pools.tx.get(brand), this.#pools.bulk.get(brand)].filter((pool) => pool !== undefined)
  }

  #pool(brand: string, lane: Lane): LanePool {
    const known = this.#pools[lane].get(brand)
    if (known !== undefined) return known
    const { url, timings, events, identity } = this.#options
    const pool = new LanePool({
      origin: url,
      lane,
      timings,
      // A stopped brand is not dialled for: nobody hammers at a door that was shut.
      identity: () => (this.stopped(brand) === undefined ? identity(brand) : undefined),
      lost: (pushes, cause) => events.lost(brand, pushes, cause),
      events: {
        dialed: () => events.dialed(brand),
        dialFailed: (error) => this.#onDialFailed(brand, error),
        goaway: (code, reason) => {
          events.goaway(brand, code, reason)
          if (isCredentialReason(reason)) this.stop(brand, reason)
        },
        closed: (error) => this.#onRefusal(brand, error),
      },
    })
    this.#pools[lane].set(brand, pool)
    return pool
  }

  #onDialFailed(brand: string, error: H2PushError): void {
    if (this.stopped(brand) !== undefined) return
    if (error.code === 'identity') {
      // Missing, not for this host, or key and certificate do not fit each other.
      this.stop(brand, error.cause instanceof Error ? error.cause.message : 'no certificate')
      return
    }
    this.#options.events.dialFailed(brand, error.message)
    this.#onRefusal(brand, error)
  }

  /** With TLS 1.3 a refused certificate is told after the handshake, so of a connection that may have been ready. */
  #onRefusal(brand: string, error: H2PushError | undefined): void {
    const cause = error?.cause
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    if (isTlsRefusal(code)) this.stop(brand, code)
  }
}
