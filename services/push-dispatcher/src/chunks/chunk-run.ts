import { randomInt } from 'node:crypto'
import { AnswerKind, type ApnsTransport, type Lane, type PushAnswers } from '../apns/transport.ts'
import { backoffMs } from '../domain/backoff.ts'
import { apnsExpirationSeconds, isTokenLength, type SendableChunk } from '../domain/chunk.ts'
import { OutcomeBook } from '../domain/outcome-book.ts'
import { makePushTable, type PushSlice, type PushTable, slicesOf } from '../domain/push-table.ts'
import { type AnswerDetails, isKnownAnswer, verdictOf } from '../domain/verdict.ts'
import type { BrandPaces } from './brand-pace.ts'
import { PushQueue } from './push-queue.ts'
import type { RateGate } from './rate-gate.ts'
import { Wakeup } from './wakeup.ts'

/** Attempts of one push that reached APNs or may have. With the back-off below they span about 30 minutes. */
export const ATTEMPTS_MAX = 8
const RETRY_BACKOFF = { baseMs: 1_000, maxMs: 900_000 }
/** Wait before a push that was certainly not processed goes again, in milliseconds. */
const UNPROCESSED_DELAY_MS = 20
/** Pushes of a chunk that are handed to the transport at once. */
const IN_FLIGHT_MAX = 4_000
/** Pushes of one call of the transport. */
const BATCH_MAX = 1_000
/** How long to wait for a retry budget that is empty, in milliseconds. */
const BUDGET_WAIT_MS = 100
/** Longest sleep of a run, in milliseconds. */
const SLEEP_MAX_MS = 1_000
/** A wait longer than this gives the lane's slot to another brand, in milliseconds. */
const PARK_AFTER_MS = 500
/** The latency of every so many'th push is told: of each, it would cost more than the push. */
const LATENCY_SAMPLE = 64
/** What is told of an answer that was a plain 200. */
const noDetails: AnswerDetails = { reason: '', timestampMs: 0, retryAfterMs: 0 }

/** A phone that knew it could choose tokens that collide. */
const HASH_SEED = randomInt(2 ** 32)

/** Whether the chunk's campaign lets it go on. */
export type ChunkControl = 'running' | 'paused' | 'aborted'

/** What a run works with. */
export interface ChunkRunOptions {
  readonly lane: Lane
  readonly transport: ApnsTransport
  readonly gate: RateGate
  readonly paces: BrandPaces
  /** Asked again whenever `notify` was called. */
  control(): ChunkControl
  /** Waits without holding the lane's slot. */
  park(wait: () => Promise<void>): Promise<void>
  /** Ends the run early; what is on the wire is awaited. */
  readonly shutdown: AbortSignal
  /** An answer that no table explains. */
  unknownAnswer(status: number, reason: string): void
  /** Something is sent once more. */
  repeated(pushes: number): void
  /** From handing a push to the transport to its answer, of a sample. */
  latency(durationMs: number): void
}

/** How a run ended. */
export type ChunkEnd =
  /** Every push has an outcome. */
  | { readonly kind: 'done'; readonly book: OutcomeBook }
  /** The brand may not send now; the chunk must come again. */
  | { readonly kind: 'stopped'; readonly reason: string }
  /** This process ends; the chunk must come again. */
  | { readonly kind: 'shutdown' }

type Halt = 'paused' | 'aborted' | 'expired' | 'stopped' | 'shutdown'

/** Sends one chunk: repeats what is worth it, and gives each push exactly one outcome. */
export class ChunkRun {
  readonly #chunk: SendableChunk
  readonly #options: ChunkRunOptions
  readonly #table: PushTable
  readonly #book: OutcomeBook
  readonly #queue: PushQueue
  readonly #wakeup = new Wakeup()
  #inFlight = 0
  #window = new AbortController()
  #stopReason: string | undefined
  /** A defect of ours while answers were taken in; the chunk comes again. */
  #failure: { readonly error: unknown } | undefined
  #lastReason = 'Expired'

  constructor(chunk: SendableChunk, options: ChunkRunOptions) {
    this.#chunk = chunk
    this.#options = options
    this.#table = makePushTable(chunk.pushTokens, HASH_SEED)
    this.#book = new OutcomeBook(this.#table)
    const { groups, size } = this.#table
    this.#queue = new PushQueue(
      size,
      groups.filter(({ tokenBytes }) => isTokenLength(tokenBytes)),
    )
    for (const { tokenBytes, firstPush, count } of groups) {
      if (isTokenLength(tokenBytes)) continue
      for (let push = firstPush; push < firstPush + count; push += 1)
        this.#book.settle(push, 'rejected', { atMs: Date.now(), reason: 'MalformedToken' })
    }
  }

  /** The campaign's control changed: what is not open yet stays closed, without waiting for the run to look. */
  notify(): void {
    if (this.#options.control() !== 'running') this.#window.abort()
    this.#wakeup.wake()
  }

  /** Sends until every push has an outcome or the run must end. */
  async run(): Promise<ChunkEnd> {
    const { shutdown } = this.#options
    const onShutdown = () => {
      this.#window.abort()
      this.#wakeup.wake()
    }
    shutdown.addEventListener('abort', onShutdown)
    try {
      while (this.#book.open > 0) {
        if (this.#failure !== undefined) throw this.#failure.error
        const halt = this.#halt()
        const end = halt === undefined ? await this.#step() : await this.#stand(halt)
        if (end !== undefined) return end
      }
      return { kind: 'done', book: this.#book }
    } finally {
      shutdown.removeEventListener('abort', onShutdown)
    }
  }

  #halt(): Halt | undefined {
    if (this.#options.shutdown.aborted) return 'shutdown'
    const control = this.#options.control()
    if (control === 'aborted') return 'aborted'
    if (Date.now() >= this.#chunk.expiresAtMs) return 'expired'
    if (this.#stopReason !== undefined) return 'stopped'
    return control === 'paused' ? 'paused' : undefined
  }

  /** Nothing may be opened: lets the wire run empty, then ends or waits. */
  async #stand(halt: Halt): Promise<ChunkEnd | undefined> {
    this.#window.abort()
    if (this.#inFlight > 0) {
      await this.#wakeup.wait(SLEEP_MAX_MS)
      return undefined
    }
    switch (halt) {
      case 'paused':
        await this.#options.park(() => this.#wakeup.wait(SLEEP_MAX_MS))
        return undefined
      case 'aborted':
        return this.#settleRest('aborted', 'Aborted')
      case 'expired':
        return this.#settleRest('expired', this.#lastReason)
      case 'stopped':
        return { kind: 'stopped', reason: this.#stopReason ?? '' }
      case 'shutdown':
        return { kind: 'shutdown' }
    }
  }

  #settleRest(outcome: 'aborted' | 'expired', reason: string): undefined {
    const atMs = Date.now()
    for (let push = 0; push < this.#book.size; push += 1)
      if (this.#book.isOpen(push)) this.#book.settle(push, outcome, { atMs, reason })
  }

  async #step(): Promise<undefined> {
    if (this.#window.signal.aborted) this.#window = new AbortController()
    const waitMs = await this.#launch()
    if (waitMs === 0) return
    const sleepMs = Math.min(waitMs, SLEEP_MAX_MS, Math.max(1, this.#chunk.expiresAtMs - Date.now()))
    if (this.#inFlight === 0 && waitMs > PARK_AFTER_MS) await this.#options.park(() => this.#wakeup.wait(sleepMs))
    else await this.#wakeup.wait(sleepMs)
  }

  /** Hands due pushes to the transport; returns how long there is nothing to hand over, 0 to go on at once. */
  async #launch(): Promise<number> {
    const { lane, gate, paces } = this.#options
    const { brand } = this.#chunk
    const pausedMs = paces.pausedUntilMs(brand, lane) - Date.now()
    if (pausedMs > 0) return pausedMs
    const room = Math.min(BATCH_MAX, IN_FLIGHT_MAX - this.#inFlight)
    if (room <= 0) return SLEEP_MAX_MS
    const due = this.#queue.takeDue(room, Date.now(), (want) => paces.withdraw(brand, want))
    const want = Math.min(room, due.length + this.#queue.fresh)
    if (want === 0) return this.#untilDueMs()
    const granted = await gate.grant(lane, brand, want, this.#window.signal)
    this.#queue.waitOn(due.splice(granted))
    if (granted > 0) this.#hand(due, this.#queue.takeFresh(granted - due.length))
    return 0
  }

  #untilDueMs(): number {
    const untilMs = this.#queue.untilDueMs(Date.now()) ?? SLEEP_MAX_MS
    // Due but not taken: the budget of repetitions is empty.
    return untilMs <= 0 ? BUDGET_WAIT_MS : untilMs
  }

  #hand(again: readonly number[], first: Uint32Array): void {
    let repeated = 0
    for (const push of again) {
      if (!this.#queue.repeats(push)) continue
      this.#book.countRetry(push)
      repeated += 1
    }
    if (repeated > 0) this.#options.repeated(repeated)
    this.#options.paces.deposit(this.#chunk.brand, first.length)
    const pushes = new Uint32Array(again.length + first.length)
    pushes.set(again)
    pushes.set(first, again.length)
    for (const slice of slicesOf(this.#table, pushes.sort())) this.#send(slice)
  }

  #send({ pushes, tokens, tokenBytes }: PushSlice): void {
    const { lane, transport } = this.#options
    const { brand, topic, pushType, priority, expiresAtMs } = this.#chunk
    const expirationSeconds = apnsExpirationSeconds(expiresAtMs)
    const { signal } = this.#window
    const sentAtMs = Date.now()
    this.#inFlight += pushes.length
    transport
      .send({ brand, lane, topic, pushType, priority, expirationSeconds, tokens, tokenBytes, signal })
      .then((answers) => {
        this.#inFlight -= pushes.length
        this.#take(pushes, answers, sentAtMs)
        this.#wakeup.wake()
      })
      .catch((error: unknown) => {
        this.#failure = { error }
        this.#wakeup.wake()
      })
  }

  #take(pushes: Uint32Array, answers: PushAnswers, sentAtMs: number): void {
    const { kinds, statuses, atMs } = answers
    for (let index = 0; index < pushes.length; index += 1) {
      const push = pushes[index] as number
      if (kinds[index] === AnswerKind.answered) {
        if (index % LATENCY_SAMPLE === 0) this.#options.latency(Math.max(0, (atMs[index] as number) - sentAtMs))
        if (statuses[index] === 200) this.#book.accept(push, atMs[index] as number)
        else this.#judge(push, statuses[index] as number, atMs[index] as number, answers.details.get(index))
      } else this.#repeat(push, kinds[index] as number, answers)
    }
  }

  #repeat(push: number, kind: number, answers: PushAnswers): void {
    switch (kind) {
      case AnswerKind.unknown:
        // A pass push only wakes the phone: repeating one that arrived is harmless, losing one is not.
        this.#retry(push, 'NoAnswer', 0)
        return
      case AnswerKind.unprocessed:
        this.#queue.wait(push, Date.now() + UNPROCESSED_DELAY_MS, false)
        return
      case AnswerKind.stopped:
        this.#stopReason = answers.stopReason
        this.#queue.putBack(push)
        return
      default:
        this.#queue.putBack(push)
    }
  }

  #judge(push: number, status: number, atMs: number, details: AnswerDetails = noDetails): void {
    const { reason } = details
    if (!isKnownAnswer(status, reason)) this.#options.unknownAnswer(status, reason)
    const shown = reason === '' && status !== 200 ? `Status${status}` : reason
    const verdict = verdictOf({ status, ...details })
    switch (verdict.kind) {
      case 'accepted':
        this.#book.accept(push, atMs)
        return
      case 'dead':
        this.#book.settle(push, 'dead', { atMs, reason: shown, deadSinceMs: verdict.deadSinceMs })
        return
      case 'reject':
        this.#book.settle(push, 'rejected', { atMs, reason: shown })
        return
      case 'stop':
        this.#stopReason = shown
        this.#options.transport.stop(this.#chunk.brand, shown)
        this.#queue.putBack(push)
        return
      case 'retry':
        if (verdict.scope === 'pool') this.#options.paces.pause(this.#chunk.brand, Date.now() + verdict.delayMs)
        this.#retry(push, shown, verdict.delayMs)
    }
  }

  #retry(push: number, reason: string, delayMs: number): void {
    const attempts = this.#book.retries(push) + 1
    this.#lastReason = reason
    if (attempts >= ATTEMPTS_MAX) {
      this.#book.settle(push, 'expired', { atMs: Date.now(), reason })
      return
    }
    const ownMs = delayMs === 0 && attempts === 1 ? 0 : backoffMs(attempts, RETRY_BACKOFF, Math.random())
    this.#queue.wait(push, Date.now() + Math.max(delayMs, ownMs), true)
  }
}
