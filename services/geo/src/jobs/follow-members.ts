import {
  type Consumer,
  claimInbox,
  decodeEvents,
  type Logger,
  type Metrics,
  type Nats,
  type Sql,
  startConsumer,
  subjects,
} from '@stampede/platform'
import type { Event } from '@stampede/proto/events/v1'
import type { Context } from '../context.ts'
import { type BrandChanges, collectChanges, isVisit, type MemberChange } from '../domain/changes.ts'
import { recompute } from '../recompute.ts'
import { addVisits, ensureMembers, forgetVisits, lockMembers, type MemberRow, updateMembers } from '../store/members.ts'
import { holdRevision } from '../store/revisions.ts'

const DURABLE = 'geo-members'
const BATCH_MAX = 1_000
const REQUEST_STANDS_MS = 5_000

/** Follows members and receipts: counts visits, and publishes places when they change. */
export function startMemberFollower(context: Context, nats: Nats, logger: Logger, metrics: Metrics): Promise<Consumer> {
  return startConsumer({
    nats,
    stream: 'EVENTS',
    durable: DURABLE,
    filterSubjects: [subjects.member('*'), subjects.receipt('*')],
    batchMax: BATCH_MAX,
    expiresMs: REQUEST_STANDS_MS,
    logger,
    metrics,
    handle: (batch) => applyEvents(context, decodeEvents(batch)),
  })
}

/** Applies a batch in one transaction; harmless if any of it was applied before. */
export async function applyEvents(context: Context, events: readonly Event[]): Promise<void> {
  const visitIds = events.filter(isVisit).map((event) => event.id)
  const counts = await context.database.transaction(async (tx) => {
    const fresh = visitIds.length === 0 ? new Set<string>() : await claimInbox(tx, DURABLE, visitIds)
    const changes = collectChanges(firstOfEach(events).filter((event) => !isVisit(event) || fresh.has(event.id)))
    const applied: { brand: string; visits: number; published: number }[] = []
    for (const [brand, change] of changes) {
      const published = await applyBrand(context, tx, brand, change)
      applied.push({ brand, visits: change.visits.reduce((sum, one) => sum + one.count, 0), published })
    }
    return applied
  })
  for (const { brand, visits, published } of counts) {
    context.metrics.countVisits(brand, visits)
    context.metrics.countPublished(brand, published)
  }
  if (counts.some(({ published }) => published > 0)) context.wakeRelay()
}

/** A redelivered event may stand beside its first delivery: the inbox would let both pass. */
function firstOfEach(events: readonly Event[]): readonly Event[] {
  const seen = new Set<string>()
  return events.filter((event) => !seen.has(event.id) && seen.add(event.id))
}

async function applyBrand(context: Context, tx: Sql, brand: string, change: BrandChanges): Promise<number> {
  const ids = [...new Set([...change.members, ...change.visits].map((one) => one.memberId))]
  await holdRevision(tx, brand)
  await ensureMembers(tx, brand, ids)
  const locked = new Map((await lockMembers(tx, brand, ids)).map((row) => [row.memberId, row]))
  const newer = change.members.filter((one) => one.version > (locked.get(one.memberId)?.memberVersion ?? 0n))
  await updateMembers(tx, brand, newer)
  for (const one of newer) locked.set(one.memberId, withChange(locked.get(one.memberId), one))

  const rows = [...locked.values()]
  const erased = new Set(rows.filter((row) => row.erased).map((row) => row.memberId))
  await addVisits(
    tx,
    brand,
    change.visits.filter((one) => !erased.has(one.memberId)),
  )
  await forgetVisits(tx, brand, [...erased])
  return recompute(context, tx, brand, rows)
}

function withChange(row: MemberRow | undefined, change: MemberChange): MemberRow {
  if (row === undefined) throw new Error('a member without a row')
  return { ...row, memberVersion: change.version, enrolledStore: change.storeId, erased: change.erased }
}
