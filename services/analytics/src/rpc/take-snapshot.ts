import { checkIdempotencyKey, idempotencyConflict, invalidArgument, uuidv7 } from '@stampede/platform'
import type { TakeSnapshotRequest, TakeSnapshotResponse } from '@stampede/proto/analytics/v1'
import { type AnalyticsContext, brandOf } from '../context.ts'
import { dropScores, scoreMembers, storedSnapshots } from '../store/scores.ts'
import {
  beginSnapshot,
  finishSnapshot,
  newestSnapshots,
  type Snapshot,
  type SnapshotKey,
  type SnapshotRequest,
} from '../store/snapshots.ts'

/** An as-of instant may be ahead of our clock by so much: the end of a day that is not over yet. */
const aheadMaxMs = 24 * 3_600_000
/** ClickHouse's instants begin here; no receipt is older. */
const earliestAsOf = new Date('1970-01-02T00:00:00Z')
/** Complete snapshots that are kept: readers of the last but one may still be at work. */
const keptSnapshots = 2
/** Rows of an attempt younger than this may still be written. */
const attemptMaxMs = 3_600_000

type Handler = (request: TakeSnapshotRequest) => Promise<TakeSnapshotResponse>

/** Handler of TakeSnapshot. The same key at the same time is one snapshot, whose answer both get. */
export function takeSnapshot(context: AnalyticsContext): Handler {
  const running = new Map<string, Promise<Snapshot>>()

  return async (request) => {
    const { timeZone } = brandOf(context, request.brand)
    const key = { brand: request.brand, idempotencyKey: checkIdempotencyKey(request.idempotencyKey) }
    const asOf = checkAsOf(request.asOf, context.clock.nowMs())
    const asked = await beginSnapshot(context.database, key, asOf, context.clock.now())
    if (asked.requestedAsOf?.getTime() !== asOf?.getTime()) throw idempotencyConflict()
    const snapshot = asked.snapshot ?? (await takeOnce(key, asked, timeZone))
    return { members: BigInt(snapshot.members), asOf: snapshot.asOf }
  }

  function takeOnce(key: SnapshotKey, asked: SnapshotRequest, timeZone: string): Promise<Snapshot> {
    const name = `${key.brand} ${key.idempotencyKey}`
    const current = running.get(name)
    if (current) return current
    const taking = take(context, key, asked.asOf, timeZone).finally(() => running.delete(name))
    running.set(name, taking)
    return taking
  }
}

async function take(context: AnalyticsContext, key: SnapshotKey, asOf: Date, timeZone: string): Promise<Snapshot> {
  const { batch, database, clock, metrics, logger } = context
  const end = metrics.snapshotSeconds.startTimer()
  const snapshotId = uuidv7(clock.nowMs())
  const scored = await scoreMembers(batch, { brand: key.brand, snapshotId, asOf, timeZone })
  const snapshot = await finishSnapshot(database, key, snapshotId, scored, clock.now())
  const seconds = end()
  logger.info({ brand: key.brand, members: scored.members, seconds }, 'snapshot taken')
  await dropOutdated(context, key.brand)
  return snapshot
}

/** Removes what no reader needs: all but the newest snapshots, and what killed attempts have left. */
async function dropOutdated(context: AnalyticsContext, brand: string): Promise<void> {
  const { batch, database, clock } = context
  const kept = await newestSnapshots(database, brand, keptSnapshots)
  const keptIds = new Set(kept.map((snapshot) => snapshot.snapshotId))
  const youngest = uuidv7(clock.nowMs() - attemptMaxMs)
  const known = await newestSnapshots(database, brand, knownMax)
  const finished = new Set(known.map((snapshot) => snapshot.snapshotId))
  for (const id of await storedSnapshots(batch, brand)) {
    if (keptIds.has(id)) continue
    // UUIDv7 sorts by time: an unfinished attempt is left alone while it may still be at work.
    if (finished.has(id) || id < youngest) await dropScores(batch, id)
  }
}

/** Finished snapshots looked through for rows to remove; older ones are removed by age. */
const knownMax = 100

function checkAsOf(asOf: Date | undefined, nowMs: number): Date | undefined {
  if (asOf === undefined) return undefined
  const ms = asOf.getTime()
  if (!(ms >= earliestAsOf.getTime())) throw invalidArgument('as_of', 'must be an instant after 1970')
  if (ms > nowMs + aheadMaxMs) throw invalidArgument('as_of', 'must not be more than a day ahead')
  return asOf
}
