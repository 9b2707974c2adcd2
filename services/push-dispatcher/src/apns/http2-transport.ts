import type { AnswerDetails } from '../domain/verdict.ts'
import { BrandStops } from './brand-stops.ts'
import type { PushAnswer } from './connection.ts'
import type { TransportOptions } from './options.ts'
import { POOL_QUEUE_MAX, Pool, type QueuedPush } from './pool.ts'
import {
  AnswerKind,
  type ApnsTransport,
  answersOfOneKind,
  type Lane,
  type PushAnswers,
  type PushBatch,
} from './transport.ts'

/** Connections per brand: `tx` has one to itself, so that it never waits behind a campaign's streams. */
const CONNECTIONS: Readonly<Record<Lane, number>> = { tx: 1, bulk: 2 }

/** ApnsTransport on node:http2, one object per push. It stays as the oracle of the faster one. */
export class Http2Transport implements ApnsTransport {
  readonly #options: TransportOptions
  readonly #pools = new Map<string, Pool>()
  readonly #stops: BrandStops

  constructor(options: TransportOptions) {
    this.#options = options
    this.#stops = new BrandStops(options.timings.stopProbeMs, options.events.stopped)
  }

  send(batch: PushBatch): Promise<PushAnswers> {
    const size = batch.tokens.length / batch.tokenBytes
    const reason = this.stopped(batch.brand)
    if (reason !== undefined) return Promise.resolve(answersOfOneKind(size, AnswerKind.stopped, reason))
    if (batch.signal.aborted) return Promise.resolve(answersOfOneKind(size, AnswerKind.unsent))
    const pool = this.#pool(batch.brand, batch.lane)
    if (pool.queued + size > POOL_QUEUE_MAX) return Promise.resolve(answersOfOneKind(size, AnswerKind.unprocessed))
    return enqueue(pool, batch, size)
  }

  stop(brand: string, reason: string): void {
    if (!this.#stops.stop(brand, reason)) return
    for (const pool of this.#poolsOf(brand))
      for (const job of pool.withdrawAll()) job.settle({ kind: 'stopped', reason })
  }

  stopped(brand: string): string | undefined {
    return this.#stops.reason(brand)
  }

  /** The brand's certificate changed: new connections take over, and a stopped brand is set free. */
  renew(brand: string): void {
    this.#stops.release(brand)
    for (const pool of this.#poolsOf(brand)) pool.renew()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pool of this.#pools.values()) {
      for (const job of pool.withdrawAll()) job.settle({ kind: 'unsent' })
      pool.close()
    }
    this.#pools.clear()
  }

  #poolsOf(brand: string): readonly Pool[] {
    return [this.#pools.get(`tx/${brand}`), this.#pools.get(`bulk/${brand}`)].filter((pool) => pool !== undefined)
  }

  #pool(brand: string, lane: Lane): Pool {
    const key = `${lane}/${brand}`
    const known = this.#pools.get(key)
    if (known !== undefined) return known
    const { url, timings, events } = this.#options
    const pool = new Pool({
      brand,
      url,
      timings,
      events,
      connections: CONNECTIONS[lane],
      identity: () => this.#options.identity(brand),
      refused: (reason) => this.stop(brand, reason),
    })
    this.#pools.set(key, pool)
    return pool
  }
}

function enqueue(pool: Pool, batch: PushBatch, size: number): Promise<PushAnswers> {
  return new Promise((resolve) => {
    const collected = new AnswerCollector(size)
    const key = {}
    const withdraw = () => {
      for (const job of pool.withdraw(key)) job.settle({ kind: 'unsent' })
    }
    const settle = (index: number, answer: PushAnswer) => {
      collected.note(index, answer)
      if (collected.open > 0) return
      batch.signal.removeEventListener('abort', withdraw)
      resolve(collected)
    }
    batch.signal.addEventListener('abort', withdraw, { once: true })
    const { topic, expirationSeconds, pushType, priority, tokens, tokenBytes } = batch
    const jobs = Array.from({ length: size }, (_, index): QueuedPush => {
      const token = tokens.subarray(index * tokenBytes, (index + 1) * tokenBytes)
      const hex = Buffer.from(token.buffer, token.byteOffset, token.byteLength).toString('hex')
      const headers = { topic, expirationSeconds, pushType, priority }
      return { batch: key, token: hex, ...headers, settle: (answer) => settle(index, answer) }
    })
    pool.push(jobs)
  })
}

/** Turns answers into columns. */
class AnswerCollector implements PushAnswers {
  readonly kinds: Uint8Array
  readonly statuses: Uint16Array
  readonly atMs: Float64Array
  readonly details = new Map<number, AnswerDetails>()
  stopReason = ''
  open: number

  constructor(size: number) {
    this.kinds = new Uint8Array(size)
    this.statuses = new Uint16Array(size)
    this.atMs = new Float64Array(size)
    this.open = size
  }

  note(index: number, answer: PushAnswer): void {
    this.kinds[index] = AnswerKind[answer.kind]
    this.open -= 1
    if (answer.kind === 'stopped') this.stopReason = answer.reason
    if (answer.kind !== 'answered') return
    const { status, atMs, reason, timestampMs, retryAfterMs } = answer
    this.statuses[index] = status
    this.atMs[index] = atMs
    if (status !== 200) this.details.set(index, { reason, timestampMs, retryAfterMs })
  }
}
