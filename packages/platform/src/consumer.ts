import { setTimeout as sleep } from 'node:timers/promises'
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerMessages,
  DeliverPolicy,
  type JsMsg,
  type Consumer as PullConsumer,
  ReplayPolicy,
} from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import { backOffMs, buryMessage, mayPass, reasonOf } from './consumer-outcome.ts'
import { BatchReader } from './consumer-reader.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Nats } from './nats.ts'
import { fromNats } from './nats-errors.ts'
import { type ConsumerMetrics, createConsumerMetrics } from './platform-metrics.ts'
import type { StreamName } from './subjects.ts'

/** One message as delivered. */
export interface Delivery {
  readonly subject: string
  readonly data: Uint8Array
  /** Sequence in the stream. */
  readonly sequence: number
  /** 1 at the first delivery. */
  readonly deliveries: number
  /** When the stream took it, Unix milliseconds. */
  readonly timestampMs: number
  /** Says that the work goes on; called by itself for every message in hand, for 10 minutes at most. */
  working(): void
}

/** What a durable consumer is and does. */
export interface ConsumerOptions {
  readonly nats: Nats
  readonly stream: StreamName
  /** Name shared by all replicas that share the work; letters, digits, `-` and `_`. */
  readonly durable: string
  readonly filterSubjects: readonly string[]
  /** Messages per batch, and messages in flight per replica, at most. */
  readonly batchMax: number
  /** How long one request for messages stands (1,000 to 30,000); messages that come are delivered at once. */
  readonly expiresMs: number
  /** Deliveries after which a message that fails by its own fault goes to DEAD; default 5. */
  readonly maxDeliver?: number
  /** A replica that is silent for so long loses its messages to another; default 10,000. */
  readonly ackWaitMs?: number
  readonly logger: Logger
  readonly metrics: Metrics
  /**
   * Resolves when the batch is done: all are acknowledged. On a retryable StampedeError all come again later, however
   * often. On any other failure the batch is halved and tried again until the culprits stand alone: each comes again
   * with a growing delay and, after `maxDeliver` deliveries, goes to DEAD. So it must bear repeats.
   */
  handle(batch: readonly Delivery[]): Promise<void>
}

/** A running consumer; disposing waits for the batch in hand, gives the rest back and ends. */
export interface Consumer extends AsyncDisposable {
  readonly durable: string
}

const defaultMaxDeliver = 5
const defaultAckWaitMs = 10_000
const expiresMinMs = 1_000
const expiresMaxMs = 30_000
const ackPendingMin = 1_000
const extendMaxMs = 600_000
const restartDelayMs = 1_000
const stopDeadlineMs = 20_000
const giveBackMax = 10_000
/** How often the lag is asked for: by a timer, because a handler that hangs is when it matters. */
const lagEveryMs = 2_000

/** Makes or updates the durable consumer and starts handling its messages; throws UNAVAILABLE. Outlives restarts of the broker. */
export async function startConsumer(options: ConsumerOptions): Promise<Consumer> {
  await ensureConsumer(options)
  const worker = new ConsumerWorker(options)
  return { durable: options.durable, [Symbol.asyncDispose]: () => worker.stop() }
}

async function ensureConsumer(options: ConsumerOptions): Promise<void> {
  const { nats, stream, durable } = options
  const config = {
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    replay_policy: ReplayPolicy.Instant,
    ack_wait: nanos(options.ackWaitMs ?? defaultAckWaitMs),
    // Deliveries are counted here, where a fault of the message is told from one of its surroundings.
    max_deliver: -1,
    max_ack_pending: Math.max(ackPendingMin, options.batchMax * 8),
    filter_subjects: [...options.filterSubjects],
  } satisfies ConsumerConfig
  try {
    await nats.manager.consumers.add(stream, config)
  } catch {
    // It exists with another configuration, or the broker is away: then this fails as well.
    await nats.manager.consumers.update(stream, durable, config).catch((error: unknown) => {
      throw fromNats(error)
    })
  }
}

class ConsumerWorker {
  readonly #options: ConsumerOptions
  readonly #metrics: ConsumerMetrics
  readonly #maxDeliver: number
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  #messages: ConsumerMessages | undefined
  #inHand: ReadonlySet<JsMsg> = new Set()
  #busy = false
  #failures = 0

  constructor(options: ConsumerOptions) {
    this.#options = options
    this.#metrics = createConsumerMetrics(options.metrics)
    this.#maxDeliver = options.maxDeliver ?? defaultMaxDeliver
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    if (!this.#busy) this.#messages?.stop()
    const deadline = new AbortController()
    const late = sleep(stopDeadlineMs, 'late', { signal: deadline.signal }).catch(() => 'done')
    const outcome = await Promise.race([this.#running.then(() => 'done'), late])
    deadline.abort()
    if (outcome === 'late') this.#options.logger.warn({ durable: this.#options.durable }, 'a batch did not end in time')
  }

  async #run(): Promise<void> {
    const { logger, durable, nats, stream } = this.#options
    using _lag = this.#meterLag()
    while (!this.#stopping.signal.aborted) {
      try {
        const consumer = await nats.jetstream.consumers.get(stream, durable)
        while (!this.#stopping.signal.aborted) await this.#fetchAndHandle(consumer)
      } catch (error) {
        if (!this.#stopping.signal.aborted) logger.warn({ err: error, durable }, 'consumer interrupted, starting again')
        await this.#pause(restartDelayMs)
      }
    }
  }

  #meterLag(): Disposable {
    const { nats, stream, durable } = this.#options
    const measure = async (): Promise<void> => {
      const info = await nats.manager.consumers.info(stream, durable)
      this.#metrics.lag.set({ consumer: durable }, info.num_pending + info.num_ack_pending)
    }
    const tryToMeasure = (): void => {
      // While the broker is away nothing new is known.
      measure().catch(() => undefined)
    }
    tryToMeasure()
    const timer = setInterval(tryToMeasure, lagEveryMs)
    return { [Symbol.dispose]: () => clearInterval(timer) }
  }

  /** One request for messages; the next one is made when it is used up, so that nothing piles up behind the batch in hand. */
  async #fetchAndHandle(source: PullConsumer): Promise<void> {
    const { batchMax, expiresMs } = this.#options
    const expires = Math.min(expiresMaxMs, Math.max(expiresMinMs, expiresMs))
    const messages = await source.fetch({ max_messages: batchMax, expires })
    this.#messages = messages
    if (this.#stopping.signal.aborted) messages.stop()
    const reader = new BatchReader(messages)
    try {
      for (;;) {
        const batch = await reader.read(batchMax)
        if (batch === undefined) return
        this.#busy = true
        await this.#handleBatch(batch)
        this.#busy = false
        if (this.#stopping.signal.aborted) return await giveBack(reader, messages)
      }
    } finally {
      this.#busy = false
      this.#messages = undefined
      messages.stop()
    }
  }

  async #handleBatch(batch: readonly JsMsg[]): Promise<void> {
    const waiting = new Set(batch)
    this.#inHand = waiting
    const extendUntilMs = Date.now() + extendMaxMs
    const extend = setInterval(
      () => {
        if (Date.now() < extendUntilMs) for (const message of this.#inHand) message.working()
      },
      (this.#options.ackWaitMs ?? defaultAckWaitMs) / 3,
    )
    try {
      await this.#handle(batch, waiting)
    } finally {
      clearInterval(extend)
    }
    if (this.#failures > 0) await this.#pause(Math.min(backOffMs(this.#failures), 5_000))
  }

  async #handle(batch: readonly JsMsg[], waiting: Set<JsMsg>): Promise<void> {
    const labels = { consumer: this.#options.durable }
    const startMs = performance.now()
    const error = await this.#attempt(batch)
    this.#metrics.seconds.observe(labels, (performance.now() - startMs) / 1_000)
    this.#metrics.batchSize.observe(labels, batch.length)
    if (error === undefined) {
      this.#failures = 0
      this.#metrics.handled.inc(labels, batch.length)
      for (const message of batch) message.ack()
      for (const message of batch) waiting.delete(message)
      return
    }
    this.#metrics.failed.inc(labels)
    const surroundings = mayPass(error.reason)
    const fields = {
      err: error.reason,
      durable: this.#options.durable,
      messages: batch.length,
      retryable: surroundings,
    }
    this.#options.logger.warn(fields, 'handling a batch failed')
    if (surroundings || this.#stopping.signal.aborted) {
      this.#failures++
      for (const message of batch) this.#postpone(message, waiting)
      return
    }
    if (batch.length > 1) {
      const middle = Math.ceil(batch.length / 2)
      await this.#handle(batch.slice(0, middle), waiting)
      await this.#handle(batch.slice(middle), waiting)
      return
    }
    for (const message of batch) await this.#fail(message, error.reason, waiting)
  }

  async #attempt(batch: readonly JsMsg[]): Promise<{ readonly reason: unknown } | undefined> {
    try {
      await this.#options.handle(batch.map(toDelivery))
      return undefined
    } catch (reason) {
      return { reason }
    }
  }

  /** A message that fails alone, by its own fault. */
  async #fail(message: JsMsg, error: unknown, waiting: Set<JsMsg>): Promise<void> {
    if (message.info.deliveryCount < this.#maxDeliver) {
      this.#postpone(message, waiting)
      return
    }
    const { logger, nats, durable } = this.#options
    const fields = { err: error, durable, subject: message.subject, sequence: message.seq }
    try {
      await buryMessage(nats, message, reasonOf(error))
      waiting.delete(message)
      this.#metrics.dead.inc({ consumer: durable })
      logger.error(fields, 'message given up, it is on the stream DEAD')
    } catch (reason) {
      logger.warn({ ...fields, err: reason }, 'the stream DEAD does not take a message, trying again')
      this.#postpone(message, waiting)
    }
  }

  #postpone(message: JsMsg, waiting: Set<JsMsg>): void {
    message.nak(backOffMs(message.info.deliveryCount))
    waiting.delete(message)
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
  }
}

async function giveBack(reader: BatchReader, messages: ConsumerMessages): Promise<void> {
  const rest = await reader.readArrived(giveBackMax)
  // Unsubscribed first: the open request would get what is given back.
  messages.stop()
  for (const message of rest) message.nak()
}

function toDelivery(message: JsMsg): Delivery {
  return {
    subject: message.subject,
    data: message.data,
    sequence: message.seq,
    deliveries: message.info.deliveryCount,
    timestampMs: message.time.getTime(),
    working: () => message.working(),
  }
}
