import type { ClientIdentity } from './connection.ts'
import type { TransportEvents, TransportTimings } from './options.ts'
import { POOL_QUEUE_MAX, Pool, type QueuedPush } from './pool.ts'
import type { ApnsTransport, Lane, PushAnswer, PushBatch } from './transport.ts'

/** Connections per brand: `tx` has one to itself, so that it never waits behind a campaign's streams. */
const CONNECTIONS: Readonly<Record<Lane, number>> = { tx: 1, bulk: 2 }

/** What the transport is made of. */
export interface Http2TransportOptions {
  /** Origin of APNs, such as https://api.push.apple.com. */
  readonly url: string
  readonly timings: TransportTimings
  readonly events: TransportEvents
  /** The brand's identity now; undefined while it has none. */
  identity(brand: string): ClientIdentity | undefined
}

interface Stop {
  readonly reason: string
  readonly untilMs: number
}

/** ApnsTransport on node:http2. It stays as the oracle of the faster one. */
export class Http2Transport implements ApnsTransport {
  readonly #options: Http2TransportOptions
  readonly #pools = new Map<string, Pool>()
  readonly #stops = new Map<string, Stop>()

  constructor(options: Http2TransportOptions) {
    this.#options = options
  }

  send(batch: PushBatch): Promise<readonly PushAnswer[]> {
    const reason = this.stopped(batch.brand)
    if (reason !== undefined) return Promise.resolve(batch.tokens.map(() => ({ kind: 'stopped', reason })))
    if (batch.signal.aborted) return Promise.resolve(batch.tokens.map(() => ({ kind: 'unsent' })))
    const pool = this.#pool(batch.brand, batch.lane)
    if (pool.queued + batch.tokens.length > POOL_QUEUE_MAX)
      return Promise.resolve(batch.tokens.map(() => ({ kind: 'unprocessed', cause: 'queue full' })))
    return enqueue(pool, batch)
  }

  stop(brand: string, reason: string): void {
    if (this.stopped(brand) !== undefined) return
    this.#stops.set(brand, { reason, untilMs: Date.now() + this.#options.timings.stopProbeMs })
    this.#options.events.stopped(brand, reason)
    for (const pool of this.#poolsOf(brand))
      for (const job of pool.withdrawAll()) job.settle({ kind: 'stopped', reason })
  }

  stopped(brand: string): string | undefined {
    const stop = this.#stops.get(brand)
    if (stop === undefined) return undefined
    if (Date.now() < stop.untilMs) return stop.reason
    this.#release(brand)
    return undefined
  }

  /** The brand's certificate changed: new connections take over, and a stopped brand is set free. */
  renew(brand: string): void {
    if (this.#stops.has(brand)) this.#release(brand)
    for (const pool of this.#poolsOf(brand)) pool.renew()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pool of this.#pools.values()) {
      for (const job of pool.withdrawAll()) job.settle({ kind: 'unsent' })
      pool.close()
    }
    this.#pools.clear()
  }

  #release(brand: string): void {
    this.#stops.delete(brand)
    this.#options.events.stopped(brand, undefined)
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

function enqueue(pool: Pool, batch: PushBatch): Promise<readonly PushAnswer[]> {
  return new Promise((resolve) => {
    const answers: PushAnswer[] = []
    let open = batch.tokens.length
    if (open === 0) return resolve(answers)
    const key = {}
    const withdraw = () => {
      for (const job of pool.withdraw(key)) job.settle({ kind: 'unsent' })
    }
    const settle = (index: number, answer: PushAnswer) => {
      answers[index] = answer
      open -= 1
      if (open > 0) return
      batch.signal.removeEventListener('abort', withdraw)
      resolve(answers)
    }
    batch.signal.addEventListener('abort', withdraw, { once: true })
    const { topic, expirationSeconds } = batch
    const jobs = batch.tokens.map((token, index): QueuedPush => {
      const hex = Buffer.from(token.buffer, token.byteOffset, token.byteLength).toString('hex')
      return { batch: key, token: hex, topic, expirationSeconds, settle: (answer) => settle(index, answer) }
    })
    pool.push(jobs)
  })
}
