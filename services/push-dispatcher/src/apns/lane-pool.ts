import {
  type ConnectionCounts,
  H2PushError,
  Pool,
  type PoolEvents,
  RequestBlock,
  RequestTemplate,
  type TlsIdentity,
} from '@stampede/h2push'
import { answersOfBlock } from './block-answers.ts'
import type { ClientIdentity, TransportTimings } from './options.ts'
import { AnswerKind, answersOfOneKind, type Lane, type PushAnswers, type PushBatch } from './transport.ts'

/**
 * Connections of a brand at most. `tx` has one to itself, so that it never waits behind a campaign's streams, and a
 * second one for a rush; `bulk` grows while pushes wait for a stream. With 50 ms to Apple and 1,000 streams each,
 * eight of them carry 160,000 pushes per second.
 */
const CONNECTIONS_MAX: Readonly<Record<Lane, number>> = { tx: 2, bulk: 8 }
/** Kinds of pushes whose prepared headers are kept: they differ in their expiration, by the minute. */
const TEMPLATES_MAX = 32
/** The payload of every pass push. An empty body would be refused (PayloadEmpty). */
const body = Buffer.from('{}')

/** What a lane's pool is made of. */
export interface LanePoolOptions {
  /** Of APNs, such as https://api.push.apple.com. */
  readonly origin: string
  readonly lane: Lane
  readonly timings: TransportTimings
  readonly events: Partial<PoolEvents>
  /** Asked at each dial; undefined while there is none. May throw. */
  identity(): ClientIdentity | undefined
  /** Pushes of a batch whose outcome is unknown. */
  lost(pushes: number, cause: string): void
}

/** The connections of one brand and lane. */
export class LanePool implements AsyncDisposable {
  readonly #pool: Pool
  readonly #authority: string
  readonly #lost: LanePoolOptions['lost']
  readonly #templates = new Map<string, RequestTemplate>()
  readonly #blocks = new Set<RequestBlock>()
  /** Why what was not opened of a block was stopped. */
  readonly #stopReasons = new WeakMap<RequestBlock, string>()

  constructor({ origin, lane, timings, events, identity, lost }: LanePoolOptions) {
    const { pushMs, stopProbeMs: _, ...rest } = timings
    this.#authority = new URL(origin).host
    this.#lost = lost
    this.#pool = new Pool({
      origin,
      connectionsMax: CONNECTIONS_MAX[lane],
      timings: { ...rest, requestMs: pushMs },
      identity: () => tlsIdentityOf(identity()),
      events,
    })
  }

  /** Connections by state. */
  get connections(): ConnectionCounts {
    return this.#pool.connections
  }

  /** Pushes on the wire. */
  get inFlight(): number {
    return this.#pool.inFlight
  }

  /** Sends a batch; resolves when each push has an answer. */
  async send(batch: PushBatch): Promise<PushAnswers> {
    const { tokens, tokenBytes, signal } = batch
    const block = new RequestBlock({ template: this.#template(batch), variables: tokens, variableBytes: tokenBytes })
    const cancel = () => block.cancel()
    signal.addEventListener('abort', cancel, { once: true })
    // Known before it is submitted: a dial that fails at once stops it.
    this.#blocks.add(block)
    try {
      this.#pool.submit(block)
      await block.done
    } catch (error) {
      if (!(error instanceof H2PushError)) throw error
      const kind = error.code === 'disposed' ? AnswerKind.unsent : AnswerKind.unprocessed
      return answersOfOneKind(block.size, kind)
    } finally {
      this.#blocks.delete(block)
      signal.removeEventListener('abort', cancel)
    }
    const { answers, unknown, cause } = answersOfBlock(block, this.#stopReasons.get(block))
    if (unknown > 0) this.#lost(unknown, cause)
    return answers
  }

  /** Opens no further push of what was handed over: it ends as stopped. */
  stop(reason: string): void {
    for (const block of this.#blocks) {
      this.#stopReasons.set(block, reason)
      block.cancel()
    }
  }

  /** The identity changed: new connections take over. */
  renew(): void {
    this.#pool.renew()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const block of this.#blocks) block.cancel()
    await this.#pool[Symbol.asyncDispose]()
  }

  #template({ topic, pushType, priority, expirationSeconds }: PushBatch): RequestTemplate {
    const key = `${topic} ${pushType} ${priority} ${expirationSeconds}`
    const known = this.#templates.get(key)
    if (known !== undefined) return known
    const template = new RequestTemplate({
      method: 'POST',
      authority: this.#authority,
      pathPrefix: '/3/device/',
      headers: [
        ['apns-topic', topic],
        ...(pushType === '' ? [] : ([['apns-push-type', pushType]] as const)),
        ['apns-priority', String(priority)],
        ['apns-expiration', String(expirationSeconds)],
      ],
      body,
    })
    for (const oldest of this.#templates.keys()) {
      if (this.#templates.size < TEMPLATES_MAX) break
      this.#templates.delete(oldest)
    }
    this.#templates.set(key, template)
    return template
  }
}

function tlsIdentityOf(identity: ClientIdentity | undefined): TlsIdentity | undefined {
  if (identity === undefined) return undefined
  const { certPem, keyPem, caPem } = identity
  return { certPem, keyPem, ...(caPem === undefined ? {} : { caPem }) }
}
