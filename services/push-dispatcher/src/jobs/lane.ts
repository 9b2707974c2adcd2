import {
  type BrandDirectory,
  type BrandInfo,
  type ControlDirectory,
  type Logger,
  type Nats,
  streams,
  subjects,
} from '@stampede/platform'
import { PushChunk } from '@stampede/proto/push/v1'
import type { ApnsTransport, Lane } from '../apns/transport.ts'
import type { BrandPaces } from '../chunks/brand-pace.ts'
import { type ChunkControl, ChunkRun } from '../chunks/chunk-run.ts'
import type { RateGate } from '../chunks/rate-gate.ts'
import { checkChunk, type SendableChunk } from '../domain/chunk.ts'
import { publishResult, pushResultOf } from '../events.ts'
import type { DispatcherMetrics } from '../metrics.ts'
import type { BulkSlots } from './bulk-slots.ts'
import { type Handled, WorkReader } from './work-reader.ts'

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

/** Reads one lane of one brand; disposing ends what is under way as soon as the wire is empty. */
export function startLane(brand: string, lane: Lane, parts: LaneParts): AsyncDisposable {
  const shutdown = new AbortController()
  const stream = lane === 'tx' ? streams.PUSH_TX : streams.PUSH_BULK
  const reader = new WorkReader({
    nats: parts.nats,
    stream,
    durable: `dispatcher-${lane}-${brand}`,
    filterSubject: lane === 'tx' ? subjects.pushTx(brand) : subjects.pushBulk(brand),
    concurrency: IN_HAND[lane],
    logger: parts.logger,
    handle: ({ data }) => handleChunk(data, brand, lane, parts, shutdown.signal),
    buried: () => parts.metrics.dead.inc({ stream }),
  })
  return {
    [Symbol.asyncDispose]: async () => {
      shutdown.abort()
      await reader[Symbol.asyncDispose]()
    },
  }
}

async function handleChunk(
  data: Uint8Array,
  brand: string,
  lane: Lane,
  parts: LaneParts,
  shutdown: AbortSignal,
): Promise<Handled> {
  const info = parts.brands.get(brand)
  if (info === undefined) return { kind: 'later', delayMs: STOPPED_DELAY_MS }
  const checked = decode(data, info)
  if (!checked.ok) return { kind: 'poison', reason: checked.reason }
  const { chunk } = checked
  const expired = Date.now() >= chunk.expiresAtMs
  if (!expired && parts.transport.stopped(brand) !== undefined) return { kind: 'later', delayMs: STOPPED_DELAY_MS }
  if (!expired && controlOf(parts, chunk) === 'paused') return { kind: 'later', delayMs: PAUSED_DELAY_MS }
  const waiting = { brand, weight: info.weight, size: chunk.pushTokens.length }
  if (lane === 'bulk') await parts.slots.acquire(waiting)
  try {
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
      if (lane === 'bulk') await slots.acquire(waiting)
    },
    unknownAnswer: (status) => metrics.unknownAnswers.inc({ status: String(status) }),
    repeated: (pushes) => metrics.repeats.inc({ brand, lane }, pushes),
  })
  runs.add(brand, campaignId, run)
  const end = await run.run().finally(() => runs.remove(brand, campaignId, run))
  if (end.kind === 'stopped') return { kind: 'later', delayMs: STOPPED_DELAY_MS }
  if (end.kind === 'shutdown') return { kind: 'later', delayMs: SHUTDOWN_DELAY_MS }
  const result = pushResultOf(chunk, lane, end.book)
  const { repeated } = await publishResult(parts.nats, result)
  if (repeated) metrics.repeatedChunks.inc({ lane })
  metrics.chunkSeconds.observe({ lane }, (performance.now() - startedMs) / 1_000)
  const finishedMs = Date.now()
  metrics.acceptSeconds.observe({ lane }, Math.max(0, finishedMs - chunk.createdAtMs) / 1_000)
  for (const outcome of result.outcomes)
    metrics.outcomes.inc({ brand, lane, outcome: outcomeNames[outcome] ?? 'unknown' })
  return { kind: 'done' }
}

function decode(data: Uint8Array, info: BrandInfo): ReturnType<typeof checkChunk> {
  try {
    return checkChunk(PushChunk.decode(data), info)
  } catch {
    return { ok: false, reason: 'not a PushChunk' }
  }
}

function controlOf(parts: LaneParts, { brand, campaignId }: SendableChunk): ChunkControl {
  return campaignId === '' ? 'running' : (parts.control.get(brand, campaignId)?.status ?? 'running')
}
