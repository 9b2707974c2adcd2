import type { Sql } from '@stampede/platform'
import type { Store } from '@stampede/proto/geo/v1'
import { noPlaces, type RelevantPlaces, relevantPlaces } from './domain/relevance.ts'
import { createStoreIndex, type StoreIndex } from './domain/store-index.ts'
import { readRevision } from './store/revisions.ts'
import { listStores } from './store/stores.ts'

/** Brands whose stores are kept in memory at most. */
const BRANDS_MAX = 2_000
const PAGE_ROWS = 5_000

/** A brand's stores at one revision. */
export interface BrandStores {
  readonly revision: bigint
  readonly index: StoreIndex
  /** Places of members with this own store; computed once per store. */
  placesOf(homeStore: string | null): RelevantPlaces
}

/** Stores of all brands in memory; a brand is read again when its revision has changed. */
export interface StoreDirectory {
  /**
   * The brand's stores, at least as new as its committed revision. Inside of a transaction that holds the revision
   * they are exactly of that revision.
   */
  get(sql: Sql, brand: string): Promise<BrandStores>
}

/** Creates an empty directory. */
export function createStoreDirectory(): StoreDirectory {
  const known = new Map<string, BrandStores>()
  return {
    get: async (sql, brand) => {
      // The revision before the stores: if both change in between, the next look reads again.
      const revision = await readRevision(sql, brand)
      const cached = known.get(brand)
      if (cached !== undefined && cached.revision === revision) return cached
      const fresh = createBrandStores(revision, await readAll(sql, brand))
      if (known.size >= BRANDS_MAX) known.clear()
      known.set(brand, fresh)
      return fresh
    },
  }
}

function createBrandStores(revision: bigint, stores: readonly Store[]): BrandStores {
  const index = createStoreIndex(stores)
  const lists = new Map<string, RelevantPlaces>()
  return {
    revision,
    index,
    placesOf: (homeStore) => {
      if (homeStore === null) return noPlaces
      const computed = lists.get(homeStore)
      if (computed !== undefined) return computed
      const list = relevantPlaces(index, homeStore)
      if (list !== noPlaces) lists.set(homeStore, list)
      return list
    },
  }
}

async function readAll(sql: Sql, brand: string): Promise<readonly Store[]> {
  const all: Store[] = []
  for (;;) {
    const page = await listStores(sql, brand, all.at(-1)?.storeId ?? '', PAGE_ROWS)
    all.push(...page)
    if (page.length < PAGE_ROWS) return all
  }
}
