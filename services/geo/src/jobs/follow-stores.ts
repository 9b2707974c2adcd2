import { setImmediate as yieldToOthers } from 'node:timers/promises'
import type { Logger } from '@stampede/platform'
import type { Context } from '../context.ts'
import { recompute } from '../recompute.ts'
import { findAffected, findPending, markDone, type PendingList, planLists } from '../store/home-lists.ts'
import { lockMembers } from '../store/members.ts'
import { findUnplanned, holdRevision, markPlanned } from '../store/revisions.ts'

/** Members brought up to date in one transaction. */
const MEMBERS_MAX = 500
const BRANDS_MAX = 100
const LISTS_MAX = 100
/** Lists computed before other work gets its turn. */
const LISTS_PER_TURN = 50
/** A change made by another replica, or left behind by a killed one, is found after this time. */
const POLL_MS = 5_000
const LOWEST_ID = '00000000-0000-0000-0000-000000000000'

/** Brings members' places up to date after changes of stores, in the background. */
export interface StoreFollower extends AsyncDisposable {
  /** Says that stores have changed. */
  wake(): void
}

/** Starts the follower; it also finishes what an earlier process left. */
export function startStoreFollower(context: Context, logger: Logger): StoreFollower {
  const stop = new AbortController()
  let woken = false
  let endPause = (): void => {}

  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, POLL_MS)
      endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      woken = false
      try {
        await followStores(context, stop.signal)
      } catch (error) {
        logger.warn({ err: error }, 'places were not brought up to date after a change of stores; trying again')
      }
      if (!woken && !stop.signal.aborted) await pause()
    }
  }
  const done = loop()
  return {
    wake: () => {
      woken = true
      endPause()
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      endPause()
      await done
    },
  }
}

/** Works until no list of any brand is pending, or the signal says stop; what is left is found again. */
export async function followStores(context: Context, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const { brand } of await findUnplanned(context.database, BRANDS_MAX)) await planBrand(context, brand)
    const pending = await findPending(context.database, LISTS_MAX)
    if (pending.length === 0) return
    for (const list of pending) await followList(context, list, signal)
  }
}

async function planBrand(context: Context, brand: string): Promise<void> {
  const stores = await context.stores.get(context.database, brand)
  const lists: { storeId: string; digest: string }[] = []
  for (const storeId of stores.index.ids()) {
    lists.push({ storeId, digest: stores.placesOf(storeId).digest })
    if (lists.length % LISTS_PER_TURN === 0) await yieldToOthers()
  }
  await context.database.transaction(async (tx) => {
    if (await markPlanned(tx, brand, stores.revision)) await planLists(tx, brand, lists)
  })
}

async function followList(context: Context, list: PendingList, signal: AbortSignal): Promise<void> {
  const { database, metrics } = context
  let after = LOWEST_ID
  while (!signal.aborted) {
    const ids = await findAffected(database, list, after, MEMBERS_MAX)
    const last = ids.at(-1)
    if (last === undefined) break
    const published = await database.transaction(async (tx) => {
      await holdRevision(tx, list.brand)
      return recompute(context, tx, list.brand, await lockMembers(tx, list.brand, ids))
    })
    metrics.countPublished(list.brand, published)
    if (published > 0) context.wakeRelay()
    after = last
  }
  if (!signal.aborted) await markDone(database, list)
}
