import {
  type BrandDirectory,
  type Clock,
  type Credentials,
  type Delivery,
  invalidArgument,
  type Logger,
  type Nats,
  unavailable,
} from '@stampede/platform'
import { backoffMs } from '../../domain/backoff.ts'
import type { HeldClaim } from '../claim.ts'
import type { GoogleMetrics } from '../metrics.ts'
import { pause } from '../pause.ts'
import { publishResult, sendToTheEnd } from './queue.ts'
import { ResourceBook } from './resource-book.ts'
import { isClassKind } from './resource-json.ts'
import { Waits } from './waits.ts'
import { classIdOf, readBatch, refusalOf, type WorkInHand } from './works.ts'
import { type WriteEnd, type WriteParts, writeResource } from './write.ts'
import { claimWrite } from './write-claims.ts'

/** Resources that are written at once, for one issuer. */
const WRITES_AT_ONCE = 20
/** Reason of an accepted change whose holders could not be told. */
const NOT_NOTIFIED = 'notNotified'
/** Attempts at one resource before it gives way to others. */
const ATTEMPTS_MAX = 4
/** Wait between them, in milliseconds. */
const ATTEMPT = { baseMs: 250, maxMs: 4_000 }
/** After this no attempt of the batch begins, in milliseconds; the longest attempt takes a minute more. */
const BATCH_MS = 120_000
/** Wait for a class that is missing, in milliseconds. */
const CLASS_WAIT = { baseMs: 1_000, maxMs: 60_000 }
/** Wait of a resource that gave way, in milliseconds. */
const RESOURCE_WAIT = { baseMs: 1_000, maxMs: 300_000 }
/** A batch in which nothing could be done waits so long: its works come again at once. */
const IDLE_MS = 500
/** Brands whose missing credential was logged. */
const LOGGED_MAX = 10_000

/** What became of a work: nothing is left to do, it has to wait, or Google is away. */
type Outcome = 'done' | 'waiting' | 'away'

/** What the runs of all batches share. */
export interface BatchParts extends WriteParts {
  readonly nats: Nats
  readonly clock: Clock
  readonly brands: BrandDirectory
  readonly credentials: Credentials
  readonly logger: Logger
  readonly metrics: GoogleMetrics
  readonly stopping: AbortSignal
}

/**
 * Brings the resources of batches to their desired states. A batch holds one work per resource, and a resource is
 * claimed while it is written: so calls of one resource never overlap. Each issuer has batches of its own.
 */
export class BatchRunner {
  readonly #parts: BatchParts
  readonly #book = new ResourceBook()
  readonly #classWaits = new Waits(CLASS_WAIT)
  readonly #resourceWaits = new Waits(RESOURCE_WAIT)
  readonly #logged = new Set<string>()

  constructor(parts: BatchParts) {
    this.#parts = parts
    parts.credentials.onChange((brand) => this.#logged.delete(brand))
  }

  /**
   * `issuer`: whose queue they came from. Resolves when each work is either settled or at the end of the queue. Throws UNAVAILABLE when Google or the broker
   * is away, INVALID_ARGUMENT when a message was no work.
   */
  async handle(issuer: string, batch: readonly Delivery[]): Promise<void> {
    const signal = AbortSignal.any([this.#parts.stopping, AbortSignal.timeout(BATCH_MS)])
    const { works, unreadable } = readBatch(batch)
    const classes = works.filter(({ work }) => isClassKind(work.kind))
    const others = works.filter(({ work }) => !isClassKind(work.kind))
    const outcomes = new Map<WorkInHand, Outcome>()
    const bring = async (item: WorkInHand): Promise<void> => {
      outcomes.set(item, await this.#bring(issuer, item, signal))
    }
    await forEachAtOnce(classes, WRITES_AT_ONCE, bring)
    await forEachAtOnce(others, WRITES_AT_ONCE, bring)
    await this.#giveWay(outcomes)
    if (unreadable > 0) throw invalidArgument('google_work', 'is not readable')
  }

  async #giveWay(outcomes: ReadonlyMap<WorkInHand, Outcome>): Promise<void> {
    const all = new Set(outcomes.values())
    if (all.has('away') && !all.has('done')) throw unavailable('Google Wallet does not answer right now')
    const open = [...outcomes].filter(([, outcome]) => outcome !== 'done').map(([item]) => item)
    if (open.length > 0 && !all.has('done')) await pause(IDLE_MS, this.#parts.stopping)
    await Promise.all(open.map((item) => sendToTheEnd(this.#parts.nats, item)))
  }

  async #bring(issuer: string, item: WorkInHand, signal: AbortSignal): Promise<Outcome> {
    const { work, key } = item
    if (!this.#book.isDue(key, work.version)) return this.#count(work.brand, 'superseded', 'done')
    const refusal = refusalOf(work, issuer) ?? this.#brandRefusal(item)
    if (refusal !== undefined) return this.#settle(item, 'rejected', { status: 0, reason: refusal })
    const nowMs = Date.now()
    const early = this.#resourceWaits.isWaiting(key, nowMs) || this.#classWaits.isWaiting(classIdOf(work), nowMs)
    if (early || signal.aborted) return this.#count(work.brand, 'waiting', 'waiting')
    return this.#claimAndAttempt(item, signal)
  }

  /** A brand's account is used for the brand's own issuer only. */
  #brandRefusal({ work }: WorkInHand): string | undefined {
    const info = this.#parts.brands.get(work.brand)
    return info === undefined || info.googleIssuerId === work.issuerId ? undefined : 'issuerNotOfBrand'
  }

  async #claimAndAttempt(item: WorkInHand, signal: AbortSignal): Promise<Outcome> {
    const { nats, clock } = this.#parts
    const { work, key } = item
    const claim = await claimWrite(nats, clock, key, work.version)
    if (claim === 'superseded') return this.#count(work.brand, 'superseded', 'done')
    if (claim === 'busy') return this.#count(work.brand, 'waiting', 'waiting')
    try {
      return await this.#attempt(item, claim, signal)
    } finally {
      // A claim that is not given back ends by itself.
      await claim.release().catch(() => undefined)
    }
  }

  async #attempt(item: WorkInHand, hold: HeldClaim, signal: AbortSignal): Promise<Outcome> {
    const { work, key } = item
    for (let attempt = 1; ; attempt++) {
      const credential = this.#parts.credentials.google(work.brand)
      if (credential === undefined || this.#parts.brands.get(work.brand) === undefined) return this.#noCredential(work)
      this.#book.begin(key, work.version)
      const first = this.#book.exists(key) ? 'patch' : 'insert'
      const caller = { issuer: work.issuerId, credential, lane: 'urgent', hold, signal } as const
      const end = await writeResource(work, first, caller, this.#parts)
      if (end.kind === 'rejected') return this.#settle(item, 'rejected', end.answer)
      if (end.kind === 'accepted')
        return this.#settle(item, 'accepted', end.quiet ? { ...end.answer, reason: NOT_NOTIFIED } : end.answer)
      if (signal.aborted) return this.#count(work.brand, 'waiting', 'waiting')
      const again = end.obstacle === 'google' || end.obstacle === 'issuer'
      if (!again || attempt === ATTEMPTS_MAX) return this.#postpone(item, end)
      await pause(backoffMs(attempt, ATTEMPT, Math.random()), signal)
      item.delivery.working()
    }
  }

  #postpone({ work, key }: WorkInHand, { obstacle, answer }: WriteEnd & { kind: 'later' }): Outcome {
    const { logger } = this.#parts
    const { status, reason } = answer
    logger.warn({ brand: work.brand, kind: work.kind, obstacle, status, reason }, 'a Google resource has to wait')
    if (obstacle === 'class') this.#classWaits.postpone(classIdOf(work), Date.now())
    // When Google is away nobody has to wait longer than anybody else.
    else if (obstacle !== 'google') this.#resourceWaits.postpone(key, Date.now(), answer.retryAfterMs)
    return obstacle === 'google'
      ? this.#count(work.brand, 'away', 'away')
      : this.#count(work.brand, 'waiting', 'waiting')
  }

  async #settle(
    { work, key }: WorkInHand,
    outcome: 'accepted' | 'rejected',
    answer: { readonly status: number; readonly reason: string },
  ): Promise<Outcome> {
    await publishResult(this.#parts.nats, work, outcome, answer)
    this.#book.settle(key, work.version, outcome === 'accepted')
    this.#resourceWaits.clear(key)
    if (isClassKind(work.kind)) this.#classWaits.clear(work.resourceId)
    if (outcome === 'rejected') {
      const { brand, kind, resourceId, version } = work
      const fields = { brand, kind, resourceId, version: String(version), status: answer.status, reason: answer.reason }
      this.#parts.logger.error(fields, 'a Google resource is refused')
    }
    return this.#count(work.brand, outcome, 'done')
  }

  #noCredential({ brand }: { readonly brand: string }): Outcome {
    if (!this.#logged.has(brand)) {
      if (this.#logged.size >= LOGGED_MAX) this.#logged.clear()
      this.#logged.add(brand)
      this.#parts.logger.warn({ brand }, 'the brand has no Google account yet, its resources wait')
    }
    return this.#count(brand, 'waiting', 'waiting')
  }

  #count(brand: string, label: string, outcome: Outcome): Outcome {
    this.#parts.metrics.resources.inc({ brand, outcome: label })
    return outcome
  }
}

/** Runs over the items with so many under way at once; rejects with the first failure when all have ended. */
async function forEachAtOnce<T>(items: readonly T[], atOnce: number, run: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values()
  const worker = async (): Promise<void> => {
    for (const item of rest) await run(item)
  }
  const ends = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, worker))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}
