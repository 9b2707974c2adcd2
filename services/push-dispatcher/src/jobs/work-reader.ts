import { setTimeout as sleep } from 'node:timers/promises'
import type { JsMsg } from '@nats-io/jetstream'
import { buryMessage, fromNats, type Logger, type Nats, type StreamName } from '@stampede/platform'

/** One message of a work queue. */
export interface WorkItem {
  readonly subject: string
  readonly data: Uint8Array
  /** 1 at the first delivery. */
  readonly deliveries: number
  /** Whether the connection was made anew since it was taken: the broker may have forgotten that it is in hand. */
  isStale(): boolean
}

/** What became of a message. */
export type Handled =
  /** Done. */
  | { readonly kind: 'done' }
  /** To be delivered again after a while, however often. */
  | { readonly kind: 'later'; readonly delayMs: number }
  /** No retry can help: it goes to DEAD with the reason. */
  | { readonly kind: 'poison'; readonly reason: string }
  /** Not begun and not answered, because the broker may have given it to another: it comes again by itself. */
  | { readonly kind: 'dropped' }

/** What a reader reads and does. */
export interface WorkReaderOptions {
  readonly nats: Nats
  readonly stream: StreamName
  /** Shared by all replicas. */
  readonly durable: string
  readonly filterSubject: string
  /** Messages in hand at most. */
  readonly concurrency: number
  readonly logger: Logger
  /** Works on one message; several run at once. The message is kept alive meanwhile. */
  handle(item: WorkItem): Promise<Handled>
  /** Told about each message that went to DEAD. */
  buried(subject: string, reason: string): void
  /** Told how long a message was on the queue when it was taken, in milliseconds. */
  taken(ageMs: number): void
  /** Told the age of the message that is in hand for longest, in milliseconds; 0 when none is. */
  oldest(ageMs: number): void
}

/** A message that is silent for so long goes to another replica, in milliseconds. */
const ACK_WAIT_MS = 15_000
/** How often messages in hand are kept alive, in milliseconds. */
const WORKING_MS = 4_000
/** How long one request for messages stands, in milliseconds. */
const FETCH_MS = 5_000
/** Wait after the broker failed, in milliseconds. */
const RESTART_MS = 1_000
/** Wait before a message whose handling failed without a reason of its own, in milliseconds. */
const FAILED_MS = 5_000
/** Deliveries after which a message whose handling keeps throwing is given up. */
const FAILURES_MAX = 10
/** Messages that all replicas may have in hand together. */
const ACK_PENDING_MAX = 1_000
const NANOS_PER_MS = 1_000_000

/**
 * Reads a work queue with several messages in hand, each answered for itself. The platform's consumer answers for
 * batches: there one slow chunk would hold up all others, and an urgent push must not wait for a repetition.
 */
export class WorkReader implements AsyncDisposable {
  readonly #options: WorkReaderOptions
  readonly #stopping = new AbortController()
  /** In the order in which they were taken. */
  readonly #inHand = new Set<JsMsg>()
  readonly #running: Promise<void>
  #finished: (() => void) | undefined
  #endFetch: (() => void) | undefined
  #isRetired = false

  constructor(options: WorkReaderOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  /**
   * Lets the present request for messages run out (5 s), asks for nothing more and waits for what is in hand. What comes
   * until then is done: a request that is broken off can lose messages until their deadline.
   */
  async retire(): Promise<void> {
    this.#isRetired = true
    this.#finished?.()
    await this.#running
  }

  /** Breaks the present request off and waits for what is in hand. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    this.#endFetch?.()
    this.#finished?.()
    await this.#running
  }

  async #run(): Promise<void> {
    const { logger, durable } = this.#options
    const alive = setInterval(() => {
      for (const message of this.#inHand) message.working()
      this.#tellOldest()
    }, WORKING_MS)
    while (!this.#isOver()) {
      try {
        await this.#ensureConsumer()
        await this.#read()
      } catch (error) {
        if (this.#isOver()) break
        logger.warn({ err: fromNats(error), durable }, 'work queue interrupted, starting again')
        await sleep(RESTART_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
      }
    }
    while (this.#inHand.size > 0) await this.#oneFinished()
    clearInterval(alive)
  }

  /** Names the present connection: a broker that is started again has a new id, a connection to it a new number. */
  #session(): string {
    const { info } = this.#options.nats.connection
    return `${info?.server_id}/${info?.client_id}`
  }

  #isOver(): boolean {
    return this.#isRetired || this.#stopping.signal.aborted
  }

  async #ensureConsumer(): Promise<void> {
    const { nats, stream, durable, filterSubject } = this.#options
    const config = {
      durable_name: durable,
      ack_policy: 'explicit',
      deliver_policy: 'all',
      ack_wait: ACK_WAIT_MS * NANOS_PER_MS,
      max_deliver: -1,
      max_ack_pending: ACK_PENDING_MAX,
      filter_subject: filterSubject,
    } as const
    try {
      await nats.manager.consumers.add(stream, config)
    } catch {
      await nats.manager.consumers.update(stream, durable, config)
    }
  }

  async #read(): Promise<void> {
    const { nats, stream, durable, concurrency } = this.#options
    const consumer = await nats.jetstream.consumers.get(stream, durable)
    while (!this.#isOver()) {
      const room = concurrency - this.#inHand.size
      if (room <= 0) {
        await this.#oneFinished()
        continue
      }
      const messages = await consumer.fetch({ max_messages: room, expires: FETCH_MS })
      this.#endFetch = () => messages.stop()
      if (this.#stopping.signal.aborted) messages.stop()
      for await (const message of messages) {
        if (this.#stopping.signal.aborted) message.nak()
        else this.#take(message)
      }
      this.#endFetch = undefined
    }
  }

  #oneFinished(): Promise<void> {
    return new Promise((resolve) => {
      this.#finished = resolve
    })
  }

  #take(message: JsMsg): void {
    this.#inHand.add(message)
    this.#options.taken(ageOf(message))
    this.#tellOldest()
    this.#handle(message)
      .catch((error: unknown) => {
        this.#options.logger.error({ err: error, durable: this.#options.durable }, 'a message was not answered')
      })
      .finally(() => {
        this.#inHand.delete(message)
        this.#tellOldest()
        this.#finished?.()
      })
  }

  #tellOldest(): void {
    const [oldest] = this.#inHand
    this.#options.oldest(oldest === undefined ? 0 : ageOf(oldest))
  }

  async #handle(message: JsMsg): Promise<void> {
    const { logger, durable } = this.#options
    const { subject, data, info } = message
    const session = this.#session()
    const isStale = (): boolean => this.#session() !== session
    let handled: Handled
    try {
      handled = await this.#options.handle({ subject, data, deliveries: info.deliveryCount, isStale })
    } catch (error) {
      logger.error({ err: error, durable, sequence: message.seq }, 'handling a message failed')
      handled =
        info.deliveryCount >= FAILURES_MAX
          ? { kind: 'poison', reason: error instanceof Error ? error.message : String(error) }
          : { kind: 'later', delayMs: FAILED_MS }
    }
    if (handled.kind === 'dropped') return
    if (handled.kind === 'done') message.ack()
    else if (handled.kind === 'later') message.nak(handled.delayMs)
    else await this.#bury(message, handled.reason)
  }

  async #bury(message: JsMsg, reason: string): Promise<void> {
    const { nats, durable, logger, buried } = this.#options
    try {
      await buryMessage(nats, message, reason)
      buried(message.subject, reason)
      logger.error({ durable, sequence: message.seq, reason }, 'message given up, it is on the stream DEAD')
    } catch (error) {
      logger.warn({ err: fromNats(error), durable }, 'the stream DEAD does not take a message, trying again')
      message.nak(FAILED_MS)
    }
  }
}

/** How long ago the stream took a message, in milliseconds. */
function ageOf(message: JsMsg): number {
  return Math.max(0, Date.now() - message.time.getTime())
}
