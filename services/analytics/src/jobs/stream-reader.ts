import { setTimeout as sleep } from 'node:timers/promises'
import { headers } from '@nats-io/transport-node'
import { type ClickHouse, type Database, type Logger, type Nats, subjects, uuidv7 } from '@stampede/platform'
import type { AnalyticsMetrics } from '../metrics.ts'
import { type Range, replayRange, storeRange } from '../store/ingest.ts'
import {
  closeRange,
  fixRange,
  LeaseLost,
  leaseMs,
  type Position,
  releaseLease,
  renewLease,
  type SourceKey,
  takeLease,
} from '../store/ranges.ts'
import { type BatchLimits, batchesOf } from './batches.ts'
import {
  type BadMessage,
  type DecodedBatch,
  decodeBatch,
  repeatedReceipts,
  rowsWithout,
  type Source,
  type SourceMessage,
} from './source.ts'

/** What a reader works with. */
export interface StreamReaderOptions {
  readonly source: Source
  readonly nats: Nats
  readonly database: Database
  /** A connection of the reader's own: it must not wait behind reports. */
  readonly clickhouse: ClickHouse
  /** Identity of the ClickHouse store. */
  readonly storeId: string
  /** Whether no other process can have the store open, so that a lease in its name belongs to a dead one. */
  readonly isOnlyWriter: boolean
  readonly logger: Logger
  readonly metrics: AnalyticsMetrics
}

/** Limits of what is stored at once: a few MB of rows, which are handed to the engine without holding up the event loop for long. */
const batchLimits: BatchLimits = { messagesMax: 5_000, bytesMax: 1024 * 1024, lingerMs: 500 }
const retryMinMs = 200
const retryMaxMs = 10_000
const standbyMs = 500
const renewMs = leaseMs / 4
const lagEveryMs = 2_000
/** Longest that a stop waits for the batch in work. */
const stopMs = 10_000

/** Takes one stream into ClickHouse, each message exactly once. Disposing ends after the batch in work. */
export class StreamReader implements AsyncDisposable {
  readonly #options: StreamReaderOptions
  readonly #owner = uuidv7()
  readonly #stop = new AbortController()
  #done: Promise<void> = Promise.resolve()
  #doneThrough = 0

  constructor(options: StreamReaderOptions) {
    this.#options = options
  }

  /** Begins; returns at once. */
  start(): void {
    this.#done = this.#run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    const timer = new AbortController()
    await Promise.race([this.#done, sleep(stopMs, undefined, { signal: timer.signal }).catch(() => undefined)])
    timer.abort()
  }

  async #run(): Promise<void> {
    const { source, logger, metrics } = this.#options
    let delayMs = retryMinMs
    while (!this.#stop.signal.aborted) {
      const before = this.#doneThrough
      try {
        await this.#ingest()
        await this.#pause(standbyMs)
      } catch (error) {
        if (this.#stop.signal.aborted) return
        metrics.ingestFailures.inc({ stream: source.stream })
        logger.warn({ err: error, stream: source.stream, delayMs }, 'ingestion stopped, it will begin again')
        delayMs = this.#doneThrough > before ? retryMinMs : Math.min(delayMs * 2, retryMaxMs)
        await this.#pause(error instanceof LeaseLost ? standbyMs : delayMs)
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined)
  }

  /** Reads for as long as the lease holds; returns when another process holds it, or on stop. */
  async #ingest(): Promise<void> {
    const { database, source, nats, storeId, isOnlyWriter } = this.#options
    const { created } = await nats.manager.streams.info(source.stream)
    const key: SourceKey = { sink: storeId, source: `${source.stream}@${Date.parse(created)}` }
    const position = await takeLease(database, key, this.#owner, isOnlyWriter)
    if (!position) {
      this.#options.metrics.ingestLag.set({ stream: source.stream }, 0)
      return
    }
    this.#doneThrough = position.doneThrough
    try {
      await this.#readFrom(key, position)
    } finally {
      // Best effort: without it the next process waits for the lease to end.
      await releaseLease(database, key, this.#owner).catch(() => undefined)
    }
  }

  async #readFrom(key: SourceKey, position: Position): Promise<void> {
    const { nats, source, database } = this.#options
    const consumer = await nats.jetstream.consumers.get(source.stream, {
      filter_subjects: [...source.subjects],
      opt_start_seq: position.pending?.first ?? position.doneThrough + 1,
    })
    using _lag = this.#meterLag(consumer)
    const messages = await consumer.consume({ max_messages: source.prefetchMax })
    const stop = () => messages.stop()
    this.#stop.signal.addEventListener('abort', stop)
    const renewal = keepRenewing(() => renewLease(database, key, this.#owner), stop)
    try {
      let pending = position.pending
      for await (const batch of batchesOf(asSource(messages), batchLimits, pending?.last)) {
        if (pending) await this.#replay(key, pending, batch)
        else await this.#store(key, batch)
        pending = undefined
        if (this.#stop.signal.aborted) return
      }
      renewal.check()
    } finally {
      renewal.stop()
      this.#stop.signal.removeEventListener('abort', stop)
      messages.stop()
      // The server would drop the consumer only minutes later.
      await consumer.delete().catch(() => false)
    }
  }

  /** What is not delivered yet, and what is and not stored: by a timer, because it grows while a batch hangs. */
  #meterLag(consumer: { info(): Promise<ConsumerState> }): Disposable {
    const { source, metrics } = this.#options
    const measure = async (): Promise<void> => {
      const { num_pending: pending, delivered } = await consumer.info()
      const inHand = Math.max(0, delivered.stream_seq - this.#doneThrough)
      metrics.ingestLag.set({ stream: source.stream }, pending + inHand)
    }
    const tryToMeasure = (): void => {
      // While the broker is away nothing new is known.
      measure().catch(() => undefined)
    }
    tryToMeasure()
    const timer = setInterval(tryToMeasure, lagEveryMs)
    return { [Symbol.dispose]: () => clearInterval(timer) }
  }

  async #store(key: SourceKey, batch: readonly SourceMessage[]): Promise<void> {
    const { source, clickhouse, database, metrics } = this.#options
    const [first, last] = [batch[0]?.sequence, batch.at(-1)?.sequence]
    if (first === undefined || last === undefined) return
    const end = metrics.batchSeconds.startTimer({ stream: source.stream })
    const decoded = decodeBatch(source, key.source, batch)
    const skipped = await repeatedReceipts(clickhouse, decoded)
    await fixRange(database, key, this.#owner, { first, last, skipped })
    await this.#insert({ source: key.source, first, last }, decoded, skipped, storeRange)
    await closeRange(database, key, this.#owner, last)
    metrics.repeatedMessages.inc({ stream: source.stream }, skipped.length)
    this.#advance(last, batch.length)
    end()
  }

  async #replay(
    key: SourceKey,
    pending: NonNullable<Position['pending']>,
    batch: readonly SourceMessage[],
  ): Promise<void> {
    const { source, database, logger } = this.#options
    const { first, last, skipped } = pending
    logger.info({ stream: source.stream, first, last }, 'storing the range that was in work when the process ended')
    const decoded = decodeBatch(source, key.source, batch)
    await this.#insert({ source: key.source, first, last }, decoded, skipped, replayRange)
    await closeRange(database, key, this.#owner, last)
    this.#advance(last, batch.length)
  }

  async #insert(
    range: Range,
    decoded: DecodedBatch,
    skipped: readonly number[],
    store: typeof storeRange,
  ): Promise<void> {
    const { clickhouse, metrics } = this.#options
    for (const bad of decoded.bad) await this.#setAside(range, bad)
    const rows = rowsWithout(decoded, skipped)
    await store(clickhouse, range, rows)
    for (const [table, lines] of rows) metrics.ingestedRows.inc({ table }, lines.length)
  }

  async #setAside(range: Range, { message, reason }: BadMessage): Promise<void> {
    const { nats, source, logger, metrics } = this.#options
    logger.error({ stream: source.stream, sequence: message.sequence, subject: message.subject, reason }, 'bad message')
    metrics.badMessages.inc({ stream: source.stream })
    const why = headers()
    why.set('Stampede-Reason', reason)
    await nats.jetstream.publish(subjects.dead(message.subject), message.data, {
      msgID: `analytics:${range.source}:${message.sequence}`,
      headers: why,
    })
  }

  #advance(last: number, messages: number): void {
    const { source, metrics } = this.#options
    this.#doneThrough = last
    metrics.ingestPosition.set({ stream: source.stream }, last)
    metrics.ingestedMessages.inc({ stream: source.stream }, messages)
  }
}

/** The part of a consumer's state that is needed. */
interface ConsumerState {
  readonly num_pending: number
  readonly delivered: { readonly stream_seq: number }
}

/** The part of a JetStream message that is needed. */
interface StreamMessage {
  readonly subject: string
  readonly data: Uint8Array
  readonly seq: number
}

async function* asSource(messages: AsyncIterable<StreamMessage>): AsyncGenerator<SourceMessage> {
  for await (const { subject, data, seq } of messages) yield { subject, data, sequence: seq }
}

/** Renews a lease until stopped; when that fails the reading is stopped, and `check` throws why. */
function keepRenewing(renew: () => Promise<void>, onLost: () => void): { check(): void; stop(): void } {
  let failure: unknown
  let running = false
  const timer = setInterval(() => {
    if (running) return
    running = true
    renew()
      .catch((error: unknown) => {
        failure = error
        onLost()
      })
      .finally(() => {
        running = false
      })
  }, renewMs)
  return {
    check: () => {
      if (failure !== undefined) throw failure
    },
    stop: () => clearInterval(timer),
  }
}
