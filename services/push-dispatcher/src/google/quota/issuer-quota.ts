import { changeShared, GOOGLE_USABLE_SHARE, type Logger, type Nats } from '@stampede/platform'
import { backoffMs } from '../../domain/backoff.ts'
import { type GoogleAnswer, isTooFast } from '../api/verdict.ts'
import { pause } from '../pause.ts'
import { parseQuotaState, reserveSlots, type SlotBlock } from './slots.ts'
import { type Lane, TurnQueue } from './turn-queue.ts'

/** Slots that are reserved at once, in milliseconds: short, because other replicas wait for their end. */
const BLOCK_MS = 250
/** A slot that is missed by more is lost, in milliseconds: late ones would meet those of other replicas. */
const LATE_MAX_MS = 30
/** Longest time that is allowed for a reservation, in milliseconds. */
const LEAD_MAX_MS = 1_000
/** Wait after the broker did not answer, in milliseconds. */
const RETRY_MS = 500
/** Pause after an answer that the issuer sends too fast, in milliseconds; it doubles with each one in a row. */
const TOO_FAST = { baseMs: 500, maxMs: 30_000 }
/** Longest pause that Google may ask for, in milliseconds. */
const ASKED_MAX_MS = 600_000
/** Life of the shared state; after that long without a call it means nothing any more. */
const STATE_LIFE_MS = 86_400_000

/** What the quota of an issuer works with. */
export interface QuotaOptions {
  readonly nats: Nats
  readonly logger: Logger
  readonly issuer: string
  /** Calls per second that Google grants the issuer; the same at all replicas. */
  readonly perSecond: number
  /** Told how long a call waited for its turn. */
  waited(lane: Lane, ms: number): void
}

/**
 * Gives turns to the calls of one issuer, whatever they are for, so that all replicas together keep its quota. Slots
 * are reserved in a record that they share; while it cannot be reached nobody gets a turn.
 */
export class IssuerQuota {
  readonly #options: QuotaOptions
  readonly #spacingMs: number
  readonly #queue = new TurnQueue()
  #pausedUntilMs = 0
  #leadMs = 0
  #refusals = 0
  #running = false

  constructor(options: QuotaOptions) {
    this.#options = options
    this.#spacingMs = 1_000 / (options.perSecond * GOOGLE_USABLE_SHARE)
  }

  /** Waits for the turn of one call; false when the signal came first. */
  async turn(lane: Lane, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false
    const startMs = performance.now()
    const turn = this.#queue.wait(lane, signal)
    if (!this.#running) void this.#run()
    if (!(await turn)) return false
    this.#options.waited(lane, performance.now() - startMs)
    return true
  }

  /**
   * Told about each answer. One that the issuer sends too fast pauses it at all replicas: another one may still use the
   * slots that it holds, a quarter of a second at most. Never rejects.
   */
  async answered(answer: GoogleAnswer): Promise<void> {
    if (answer.status >= 200 && answer.status < 300) this.#refusals = 0
    const nowMs = Date.now()
    // What was under way when the pause began says nothing new.
    if (!isTooFast(answer) || (this.#pausedUntilMs > nowMs && answer.retryAfterMs === 0)) return
    this.#refusals += 1
    const askedMs = Math.min(ASKED_MAX_MS, answer.retryAfterMs)
    const untilMs = nowMs + Math.max(askedMs, backoffMs(this.#refusals, TOO_FAST, Math.random()))
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, untilMs)
    // Without the broker nobody gets a turn, and the next reservation tells the others.
    await this.#reserve(0).catch(() => undefined)
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#queue.size > 0) {
      try {
        const perBlock = Math.max(1, Math.floor(BLOCK_MS / this.#spacingMs))
        const block = await this.#reserve(Math.min(this.#queue.size, perBlock))
        if (block === undefined) await pause(this.#pausedUntilMs - Date.now(), this.#queue.emptied)
        else await this.#use(block)
      } catch (error) {
        this.#options.logger.warn({ err: error, issuer: this.#options.issuer }, 'no slots for calls of Google')
        await pause(RETRY_MS, this.#queue.emptied)
      }
    }
    this.#running = false
  }

  /** Undefined during a pause. Throws UNAVAILABLE. */
  async #reserve(count: number): Promise<SlotBlock | undefined> {
    const { nats, issuer } = this.#options
    const startMs = performance.now()
    const block = await changeShared(nats, { bucket: 'google', parts: ['quota', issuer] }, STATE_LIFE_MS, (value) => {
      const known = parseQuotaState(value)
      const nowMs = Date.now()
      this.#pausedUntilMs = Math.max(this.#pausedUntilMs, known.pausedUntilMs)
      const state = { ...known, pausedUntilMs: this.#pausedUntilMs }
      if (count === 0 || this.#pausedUntilMs > nowMs) {
        const write = known.pausedUntilMs < this.#pausedUntilMs ? { write: state } : {}
        return { result: undefined, ...write }
      }
      const reserved = reserveSlots(state, { nowMs, leadMs: this.#leadMs, count, spacingMs: this.#spacingMs })
      return { result: reserved.block, write: reserved.state }
    })
    this.#leadMs = Math.min(LEAD_MAX_MS, performance.now() - startMs)
    return block
  }

  /** Waits by the monotonic clock: one that is set back in between must not stop the issuer. */
  async #use({ firstMs, count }: SlotBlock): Promise<void> {
    const startMs = performance.now() + firstMs - Date.now()
    for (let slot = 0; slot < count; slot++) {
      const atMs = startMs + slot * this.#spacingMs
      const waitMs = atMs - performance.now()
      if (waitMs > 0) await pause(Math.ceil(waitMs), this.#queue.emptied)
      if (this.#queue.size === 0 || this.#pausedUntilMs > Date.now()) return
      if (performance.now() - atMs <= LATE_MAX_MS) this.#queue.grant()
    }
  }
}
