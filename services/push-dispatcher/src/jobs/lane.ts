import {
  type BrandDirectory,
  type BrandInfo,
  type ControlDirectory,
  type Logger,
  type Nats,
  streams,
  subjects,
} from '@stampede/platform'
import type { ApnsTransport, Lane } from '../apns/transport.ts'
import type { BrandPaces } from '../chunks/brand-pace.ts'
import { type ChunkControl, ChunkRun } from '../chunks/chunk-run.ts'
import type { RateGate } from '../chunks/rate-gate.ts'
import { checkChunk, type SendableChunk } from '../domain/chunk.ts'
import { readPushChunk } from '../domain/chunk-wire.ts'
import type { OutcomeBook } from '../domain/outcome-book.ts'
import { reasonLabel } from '../domain/verdict.ts'
import { encodeResult, publishResult } from '../events.ts'
import type { DispatcherMetrics } from '../metrics.ts'
import type { BulkSlots } from './bulk-slots.ts'
import { type Handled, type WorkItem, WorkReader } from './work-reader.ts'

/** Chunks of one brand in hand: few of bulk, because a killed replica repeats them; many of tx, which are tiny. */
const IN_HAND: Readonly<Record<Lane, number>> = { tx: 64, bulk: 4 }
/** Wait before the chunks of a stopped brand come again, in milliseconds. */
const STOPPED_DELAY_MS = 15_000
/** Wait before an untouched chunk of a paused campaign comes again: others of the brand go first. */
const PAUSED_DELAY_MS = 2_000
/** Wait before a chunk comes again because this process ends, in milliseconds. */
const SHUTDOWN_DELAY_MS = 0

/** Labels of the metric, by PushOutcome. */
const outcomeNames: readonly string[] = ['unspecified', 'accepted', 'rejected', 'dead', 'expired', 'aborted']

/** What the lanes of all brands share. */
export interface LaneParts {
  readonly nats: Nats
  readonly logger: Logger
  readonly metrics: DispatcherMetrics
  readonly brands: BrandDirectory
  readonly control: ControlDirectory
  readonly transport: ApnsTransport
  readonly gate: RateGate
  readonly paces: BrandPaces
  readonly slots: BulkSlots
  /** Chunks under way, so that a change of control reaches them. */
  readonly runs: RunRegistry
}

/** Chunks under way by campaign. */
export class RunRegistry {
  readonly #runs = new Map<string, Set<ChunkRun>>()

  add(brand: string, campaignId: string, run: ChunkRun): void {
    const key = `${brand}/${campaignId}`
    const runs = this.#runs.get(key) ?? new Set()
    this.#runs.set(key, runs.add(run))
  }

  remove(brand: string, campaignId: string, run: ChunkRun): void {
    const key = `${brand}/${campaignId}`
    const runs = this.#runs.get(key)
    runs?.delete(run)
    if (runs?.size === 0) this.#runs.delete(key)
  }

  /** A campaign was paused, resumed or aborted. */
  notify(brand: string, campaignId: string): void {
    for (const run of this.#runs.get(`${brand}/${campaignId}`) ?? []) run.notify()
  }
}

/** A lane that is being read; disposing gives back what is in hand as soon as the wire is empty. */
export interface RunningLane extends AsyncDisposable {
  /** Takes nothing new after 5 s and resolves when all that is in hand has its outcome. */
  retire(): Promise<void>
  /** Takes nothing new, gives back what has not begun, and resolves when the rest has its outcome. */
  drain(): Promise<void>
}

/** How a lane comes to its end. */
interface LaneEnd {
  /** Nothing is begun any more. */
  readonly closing: AbortSignal
  /** What is under way ends as soon as the wire is empty. */
  readonly shutdown: AbortSignal
}

/** Reads one lane of one brand. */
export function startLane(brand: string, lane: Lane, parts: LaneParts): RunningLane {
  const closing = new AbortController()
  const shutdown = new AbortController()
  const end = { closing: closing.signal, shutdown: shutdown.signal }
  const stream = lane === 'tx' ? streams.PUSH_TX : streams.PUSH_BULK
  const reader = new WorkReader({
    nats: parts.nats,
    stream,
    durable: `dispatcher-${lane}-${brand}`,
    filterSubject: lane === 'tx' ? subjects.pushTx(brand) : subjects.pushBulk(brand),
    concurrency: IN_HAND[lane],
    logger: parts.logger,
    handle: (item) => handleChunk(item, brand, lane, parts, end),
    buried: () => parts.metrics.dead.inc({ stream }),
    taken: (ageMs) => parts.metrics.queueSeconds.observe({ lane }, ageMs / 1_000),
    oldest: (ageMs) => parts.metrics.queueAge.set({ brand, lane }, ageMs / 1_000),
  })
  return {
    retire: () => reader.retire(),
    drain: async () => {
      closing.abort()
      await reader[Symbol.asyncDispose]()
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort()
      shutdown.abort()
      await reader[Symbol.asyncDispose]()
    },
  }
}

async function handleChunk(
  { data, isStale }: WorkItem,
  brand: string,
  lane: Lane,
  parts: LaneParts,
  { closing, shutdown }: LaneEnd,
): Promise<Handled> {
  const info = parts.brands.get(brand)
  if (info === undefined) return { kind: 'later', delayMs: STOPPED_DELAY_MS }
  const checked = decode(data, info)
  if (!checked.ok) return { kind: 'poison', reason: checked.reason }
  const { chunk } = checked
  const expired = Date.now() >= chunk.expiresAtMs
  if (!expired && parts.transport.stopped(brand) !== undefined) return { kind: 'later', delayMs: STOPPED_DELAY_MS }
  if (!expired && controlOf(parts, chunk) === 'paused') return { kind: 'later', delayMs: PAUSED_DELAY_MS }
  const waiting = { brand, weight: info.weight, size: chunk.pushTokens.starts.length }
  if (lane === 'bulk' && !(await parts.slots.acquire(waiting, closing)))
    return { kind: 'later', delayMs: SHUTDOWN_DELAY_MS }
  try {
    // Another one may be at it already: only what is under way may be done twice.
    if (isStale()) return { kind: 'dropped' }
    return await runChunk(chunk, lane, parts, shutdown, waiting)
  } finally {
    if (lane === 'bulk') parts.slots.release()
  }
}

async function runChunk(
  chunk: SendableChunk,
  lane: Lane,
  parts: LaneParts,
  shutdown: AbortSignal,
  waiting: { readonly brand: string; readonly weight: number; readonly size: number },
): Promise<Handled> {
  const { metrics, slots, runs } = parts
  const { brand, campaignId } = chunk
  const startedMs = performance.now()
  const run = new ChunkRun(chunk, {
    lane,
    transport: parts.transport,
    gate: parts.gate,
    paces: parts.paces,
    shutdown,
    control: () => controlOf(parts, chunk),
    park: async (wait) => {
      if (lane === 'bulk') slots.release()
      await wait()
      // Its recipients are on the brand's account already.
      if (lane === 'bulk') await slots.acquire({ ...waiting, size: 0 })
    },
    unknownAnswer: (status) => metrics.unknownAnswers.inc({ status: String(status) }),
    repeated: (pushes) => metrics.repeats.inc({ brand, lane }, pushes),
    latency: (durationMs) => metrics.answerSeconds.observe({ lane }, durationMs / 1_000),
  })
  runs.add(brand, campaignId, run)
  const end = await run.run().finally(() => runs.remove(brand, campaignId, run))
  if (end.kind === 'stopped') return { kind: 'later', delayMs: STOPPED_DELAY_MS }
  if (end.kind === 'shutdown') return { kind: 'later', delayMs: SHUTDOWN_DELAY_MS }
  const { repeated } = await publishResult(parts.nats, chunk, encodeResult(chunk, lane, end.book))
  if (repeated) metrics.repeatedChunks.inc({ lane })
  metrics.chunkSeconds.observe({ lane }, (performance.now() - startedMs) / 1_000)
  metrics.acceptSeconds.observe({ lane }, Math.max(0, Date.now() - chunk.createdAtMs) / 1_000)
  countOutcomes(brand, lane, end.book, metrics)
  return { kind: 'done' }
}

function countOutcomes(brand: string, lane: Lane, book: OutcomeBook, metrics: DispatcherMetrics): void {
  const { outcomes, reasons } = book.counts()
  for (const [code, recipients] of outcomes.entries())
    if (recipients > 0) metrics.outcomes.inc({ brand, lane, outcome: outcomeNames[code] ?? 'unknown' }, recipients)
  for (const [reason, recipients] of reasons)
    if (reason !== '') metrics.reasons.inc({ lane, reason: reasonLabel(reason) }, recipients)
}

function decode(data: Uint8Array, info: BrandInfo): ReturnType<typeof checkChunk> {
  try {
    return checkChunk(readPushChunk(data), info)
  } catch {
    return { ok: false, reason: 'not a PushChunk' }
  }
}

function controlOf(parts: LaneParts, { brand, campaignId }: SendableChunk): ChunkControl {
  return campaignId === '' ? 'running' : (parts.control.get(brand, campaignId)?.status ?? 'running')
}
