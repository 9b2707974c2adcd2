import type { BrandDirectory, Clock, Database } from '@stampede/platform'
import { utcMonth } from '../domain/calendar.ts'
import type { MissLimiter } from '../domain/coupons/miss-limiter.ts'
import { lockAccounts, lockDueAccounts } from '../store/accounts.ts'
import { sortAccounts } from '../store/keys.ts'
import type { Months, TableMonth } from '../store/months.ts'
import { beginPosting } from '../store/plans.ts'
import type { Programmes } from '../store/programmes.ts'
import { applyItem } from './apply.ts'
import type { Item, ItemResult } from './item.ts'
import { accountsOf, loadWorkingSet, naturalKeyOf } from './load.ts'
import { applySettle } from './perform.ts'
import { settleTier } from './tiers.ts'
import { writeWorkingSet } from './write.ts'

/** What a flush needs besides its items. */
export interface FlushContext {
  readonly database: Database
  readonly brands: Pick<BrandDirectory, 'get'>
  readonly clock: Clock
  readonly programmes: Programmes
  readonly months: Months
  readonly misses: MissLimiter
  /** Gives UUIDv7, of the given instant where there is one. */
  readonly newId: (atMs?: number) => string
}

/**
 * Does a batch of commands in one transaction: lock the accounts in sorted order, read in a newer snapshot, decide item
 * by item in memory, write in sets. A refused item does not touch the others; a failed statement fails all of them.
 */
export async function flushItems(context: FlushContext, items: readonly Item[]): Promise<readonly ItemResult[]> {
  await context.months.ensure(context.database, monthsOf(context, items))
  return context.database.transaction(async (tx) => {
    await beginPosting(tx)
    const { brands, newId, misses } = context
    // Versions never change, and which accounts there are to lock depends on them.
    const programmes = await context.programmes.of(tx, [...new Set(items.map(({ brand }) => brand))])
    const keys = sortAccounts(items.flatMap((item) => accountsOf(item, programmes)))
    await lockAccounts(tx, keys)
    // Read after the locks: a hold that ended while we waited for them has ended.
    const nowMs = context.clock.nowMs()
    const set = await loadWorkingSet(tx, keys, items, { nowMs, newId, brands, programmes, misses })
    const results = items.map((item) => applyItem(set, item))
    await writeWorkingSet(tx, set)
    return results
  })
}

/** Posts what time has done to up to `limit` accounts that nobody else has in work; answers how many it took. */
export async function flushDue(context: FlushContext, limit: number): Promise<number> {
  await context.months.ensure(context.database, monthsOf(context, []))
  return context.database.transaction(async (tx) => {
    await beginPosting(tx)
    const nowMs = context.clock.nowMs()
    const keys = await lockDueAccounts(tx, new Date(nowMs), limit)
    if (keys.length === 0) return 0
    const { brands, newId, misses } = context
    const programmes = await context.programmes.of(tx, [...new Set(keys.map(({ brand }) => brand))])
    const set = await loadWorkingSet(tx, keys, [], { nowMs, newId, brands, programmes, misses })
    for (const working of set.accounts.values()) applySettle(set, working)
    for (const tier of set.tiers.values()) {
      const info = context.brands.get(tier.brand)
      if (info !== undefined) settleTier(set, tier, info)
    }
    await writeWorkingSet(tx, set)
    return keys.length
  })
}

/** The clock may pass into the next month while a flush waits for its locks. */
const MONTH_AHEAD_MS = 3_600_000

function monthsOf({ clock, brands }: FlushContext, items: readonly Item[]): readonly TableMonth[] {
  const nowMs = clock.nowMs()
  const posted = new Set([utcMonth(nowMs), utcMonth(nowMs + MONTH_AHEAD_MS)])
  const receipts = new Set(items.flatMap((item) => naturalKeyOf(item, brands)?.month ?? []))
  return [
    ...[...posted].flatMap((month): TableMonth[] => [
      { table: 'posting', month },
      { table: 'idempotency', month },
    ]),
    ...[...receipts].map((month): TableMonth => ({ table: 'receipt', month })),
  ]
}
