import { changeShared, type Nats, readShared, type SharedKey } from '@stampede/platform'
import type { GoogleMessage } from '@stampede/proto/push/v1'
import { backoffMs } from '../../domain/backoff.ts'
import { pause } from '../pause.ts'
import { publishMessageResult, RESULT_RECIPIENTS_MAX } from './message-results.ts'
import { recipientsOf } from './message-works.ts'
import type { RecipientEnd, SendStep } from './recipient-send.ts'
import { type Recipient, SENT_LIFE_MS } from './sent-book.ts'

/** Recipients of one message at once. Google's answers take up to 5 s. */
const AT_ONCE = 32
/** Failures of a recipient in a row before others go first. */
const FAILURES_MAX = 3
/** Waits of a recipient that fails, in milliseconds. */
const RETRY = { baseMs: 1_000, maxMs: 30_000 }
/** Wait while the broker does not answer, in milliseconds. */
const BROKER_MS = 1_000

/** What the run of a message works with. */
export interface RunParts {
  readonly nats: Nats
  readonly message: GoogleMessage
  readonly stopping: AbortSignal
  /** One try; throws UNAVAILABLE without a broker. */
  send(recipient: Recipient): Promise<SendStep>
  /** Told about each recipient that has an outcome. */
  ended(end: RecipientEnd): void
  /** Told why a recipient has to be tried again. */
  failed(recipient: Recipient, cause: string): void
  /** Told by how much the number of recipients without an outcome changes. */
  waiting(change: number): void
}

interface Job {
  readonly index: number
  failures: number
}

/**
 * Brings a message to all its recipients. Results leave in parts of 500; a part whose result is on the stream is noted,
 * so that a replica that takes over does not go through it again. What was sent in other parts is in the book.
 */
export class MessageRun {
  readonly #parts: RunParts
  readonly #key: SharedKey
  readonly #recipients: readonly Recipient[]
  readonly #ends: (RecipientEnd | undefined)[] = []
  readonly #missing: number[] = []
  readonly #queue: Job[] = []
  #left = 0

  constructor(parts: RunParts) {
    this.#parts = parts
    const { issuerId, messageId } = parts.message
    this.#key = { bucket: 'google', parts: ['message', issuerId, messageId] }
    this.#recipients = recipientsOf(parts.message)
  }

  /** Resolves to true when all results are on the stream, to false when this process ends first. Throws UNAVAILABLE. */
  async run(): Promise<boolean> {
    const published = publishedIn((await readShared(this.#parts.nats, this.#key)).value)
    for (const index of this.#recipients.keys()) {
      const part = partOf(index)
      if (published.includes(part)) continue
      this.#missing[part] = (this.#missing[part] ?? 0) + 1
      this.#queue.push({ index, failures: 0 })
    }
    this.#left = this.#queue.length
    this.#parts.waiting(this.#left)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, this.#left) }, () => this.#work()))
    this.#parts.waiting(-this.#left)
    return this.#left === 0
  }

  async #work(): Promise<void> {
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      if (!(await this.#tryOut(job))) return
    }
  }

  /** Tries a recipient until it has an outcome or gives way to others; false when this process ends. */
  async #tryOut(job: Job): Promise<boolean> {
    const { stopping, failed } = this.#parts
    const recipient = this.#recipients[job.index]
    if (recipient === undefined) return true
    for (;;) {
      const step = await this.#send(recipient)
      if (step.kind === 'end') return this.#settle(job.index, step)
      if (step.kind === 'stopped' || stopping.aborted) return false
      if (step.kind === 'wait') await pause(step.afterMs, stopping)
      else {
        job.failures += 1
        failed(recipient, step.cause)
        await pause(Math.max(step.afterMs, backoffMs(job.failures, RETRY, Math.random())), stopping)
      }
      if (job.failures >= FAILURES_MAX && this.#queue.length > 0) {
        job.failures = 0
        this.#queue.push(job)
        return true
      }
    }
  }

  async #send(recipient: Recipient): Promise<SendStep> {
    try {
      return await this.#parts.send(recipient)
    } catch (error) {
      return { kind: 'retry', afterMs: BROKER_MS, cause: error instanceof Error ? error.message : String(error) }
    }
  }

  async #settle(index: number, end: RecipientEnd): Promise<boolean> {
    const part = partOf(index)
    this.#ends[index] = end
    this.#parts.ended(end)
    const missing = (this.#missing[part] ?? 0) - 1
    this.#missing[part] = missing
    if (missing === 0 && !(await this.#publish(part))) return false
    this.#left -= 1
    this.#parts.waiting(-1)
    return true
  }

  /** Insists until the broker has it; false when this process ends first. */
  async #publish(part: number): Promise<boolean> {
    const { nats, message, stopping } = this.#parts
    const first = part * RESULT_RECIPIENTS_MAX
    const ends = this.#ends.slice(first, first + RESULT_RECIPIENTS_MAX).filter((end) => end !== undefined)
    while (!stopping.aborted) {
      try {
        await publishMessageResult(nats, message, first, ends)
        await changeShared(nats, this.#key, SENT_LIFE_MS, (value) => {
          return { result: undefined, write: { published: [...publishedIn(value), part] } }
        })
        return true
      } catch {
        await pause(BROKER_MS, stopping)
      }
    }
    return false
  }
}

function partOf(index: number): number {
  return Math.floor(index / RESULT_RECIPIENTS_MAX)
}

function publishedIn(value: unknown): readonly number[] {
  const { published } = (value ?? {}) as Record<string, unknown>
  return Array.isArray(published) ? published : []
}
