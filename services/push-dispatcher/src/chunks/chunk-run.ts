import type { ApnsTransport, Lane, PushAnswer } from '../apns/transport.ts'
import { backoffMs } from '../domain/backoff.ts'
import { isTokenSyntax, type SendableChunk } from '../domain/chunk.ts'
import { OutcomeBook } from '../domain/outcome-book.ts'
import { isKnownAnswer, verdictOf } from '../domain/verdict.ts'
import type { BrandPaces } from './brand-pace.ts'
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

interface Waiting {
  readonly push: number
  readonly dueMs: number
  /** Whether it counts as a repetition. */
  readonly repeats: boolean
}

/** Sends one chunk: repeats what is worth it, and gives each push exactly one outcome. */
export class ChunkRun {
  readonly #chunk: SendableChunk
  readonly #options: ChunkRunOptions
  readonly #book: OutcomeBook
  readonly #wakeup = new Wakeup()
  #fresh: number[]
  #waiting: Waiting[] = []
  #inFlight = 0
  #window = new AbortController()
  #stopReason: string | undefined
  /** A defect of ours while answers were taken in; the chunk comes again. */
  #failure: { readonly error: unknown } | undefined
  #lastReason = 'Expired'

  constructor(chunk: SendableChunk, options: ChunkRunOptions) {
    this.#chunk = chunk
    this.#options = options
    this.#book = new OutcomeBook(chunk.pushTokens)
    this.#fresh = []
    for (const push of this.#book.openPushes()) {
      if (isTokenSyntax(this.#book.tokens[push] ?? Buffer.alloc(0))) this.#fresh.push(push)
      else this.#book.settle(push, 'rejected', { atMs: Date.now(), reason: 'MalformedToken' })
    }
    // The next one is taken from the end.
    this.#fresh.reverse()
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
    for (const push of this.#book.openPushes()) this.#book.settle(push, outcome, { atMs: Date.now(), reason })
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
    const pausedMs = paces.pausedUntilMs(brand) - Date.now()
    if (pausedMs > 0) return pausedMs
    const room = Math.min(BATCH_MAX, IN_FLIGHT_MAX - this.#inFlight)
    if (room <= 0) return SLEEP_MAX_MS
    const repeats = this.#takeDue(room)
    const want = Math.min(room, repeats.length + this.#fresh.length)
    if (want === 0) return this.#untilDueMs()
    const granted = await gate.grant(lane, brand, want, this.#window.signal)
    const again = repeats.slice(0, granted)
    this.#waiting.push(...repeats.slice(granted))
    const first = this.#fresh.splice(Math.max(0, this.#fresh.length - (granted - again.length))).reverse()
    if (granted > 0) this.#send(again, first)
    return 0
  }

  /** Takes due pushes out of the waiting ones, as far as the budget of repetitions reaches. */
  #takeDue(room: number): readonly Waiting[] {
    const nowMs = Date.now()
    const due = this.#waiting.filter(({ dueMs }) => dueMs <= nowMs)
    if (due.length === 0) return due
    const counted = due.filter(({ repeats }) => repeats).length
    let allowed = counted === 0 ? 0 : this.#options.paces.withdraw(this.#chunk.brand, Math.min(counted, room))
    const taken = new Set<Waiting>()
    for (const one of due) {
      if (taken.size === room) break
      if (one.repeats && allowed-- <= 0) continue
      taken.add(one)
    }
    this.#waiting = this.#waiting.filter((one) => !taken.has(one))
    return [...taken]
  }

  #untilDueMs(): number {
    if (this.#waiting.length === 0) return SLEEP_MAX_MS
    const nextMs = Math.min(...this.#waiting.map(({ dueMs }) => dueMs)) - Date.now()
    // Due but not taken: the budget of repetitions is empty.
    return nextMs <= 0 ? BUDGET_WAIT_MS : nextMs
  }

  #send(again: readonly Waiting[], first: readonly number[]): void {
    const { lane, transport, paces } = this.#options
    const { brand, topic, expiresAtMs } = this.#chunk
    const repeated = again.filter(({ repeats }) => repeats)
    for (const { push } of repeated) this.#book.countRetry(push)
    if (repeated.length > 0) this.#options.repeated(repeated.length)
    paces.deposit(brand, first.length)
    const pushes = [...again.map(({ push }) => push), ...first]
    const tokens = pushes.map((push) => this.#book.tokens[push] ?? Buffer.alloc(0))
    const expirationSeconds = Math.floor(expiresAtMs / 1_000)
    this.#inFlight += pushes.length
    transport
      .send({ brand, lane, topic, tokens, expirationSeconds, signal: this.#window.signal })
      .then((answers) => {
        this.#inFlight -= pushes.length
        for (const [index, push] of pushes.entries()) this.#apply(push, answers[index])
        this.#wakeup.wake()
      })
      .catch((error: unknown) => {
        this.#failure = { error }
        this.#wakeup.wake()
      })
  }

  #apply(push: number, answer: PushAnswer | undefined): void {
    switch (answer?.kind) {
      case 'answered':
        this.#judge(push, answer)
        return
      case 'unknown':
        // A pass push only wakes the phone: repeating one that arrived is harmless, losing one is not.
        this.#retry(push, 'NoAnswer', 0)
        return
      case 'unprocessed':
        this.#waiting.push({ push, dueMs: Date.now() + UNPROCESSED_DELAY_MS, repeats: false })
        return
      case 'stopped':
        this.#stopReason = answer.reason
        this.#fresh.push(push)
        return
      default:
        this.#fresh.push(push)
    }
  }

  #judge(push: number, answer: Extract<PushAnswer, { kind: 'answered' }>): void {
    const { atMs, status, reason } = answer
    if (!isKnownAnswer(status, reason)) this.#options.unknownAnswer(status, reason)
    const shown = reason === '' && status !== 200 ? `Status${status}` : reason
    const verdict = verdictOf(answer)
    switch (verdict.kind) {
      case 'accepted':
        this.#book.settle(push, 'accepted', { atMs })
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
        this.#fresh.push(push)
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
    this.#waiting.push({ push, dueMs: Date.now() + Math.max(delayMs, ownMs), repeats: true })
  }
}
