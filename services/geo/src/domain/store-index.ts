import type { Store } from '@stampede/proto/geo/v1'
import { haversineMeters, type Point, toUnitVector } from './sphere.ts'

const DIMENSIONS = 3

/** A store and how far it is. */
export interface NearStore {
  readonly store: Store
  /** Great-circle metres. */
  readonly distanceMeters: number
}

/** All stores of a brand in memory, for look-ups by place. Exact: it measures every store (5,000 take 0.1 ms). */
export interface StoreIndex {
  /** How many stores it holds. */
  readonly size: number
  /** Ids of all stores, ascending. */
  ids(): readonly string[]
  /** A store by its id. */
  get(storeId: string): Store | undefined
  /** The nearest stores to a point, nearest first, equal distances by id; at most `limit`. */
  nearest(point: Point, limit: number): readonly NearStore[]
}

interface Ranked {
  readonly store: Store
  /** Square of the straight distance on the unit sphere. */
  readonly chord: number
}

/** Indexes a brand's stores; ids are unique. */
export function createStoreIndex(stores: readonly Store[]): StoreIndex {
  const sorted = [...stores].sort((a, b) => (a.storeId < b.storeId ? -1 : 1))
  const byId = new Map(sorted.map((store) => [store.storeId, store]))
  const vectors = new Float64Array(sorted.length * DIMENSIONS)
  sorted.forEach((store, index) => {
    vectors.set(toUnitVector(store), index * DIMENSIONS)
  })
  return {
    size: sorted.length,
    ids: () => sorted.map((store) => store.storeId),
    get: (storeId) => byId.get(storeId),
    nearest: (point, limit) =>
      rank(sorted, vectors, point, limit).map(({ store }) => ({
        store,
        distanceMeters: haversineMeters(point, store),
      })),
  }
}

function rank(stores: readonly Store[], vectors: Float64Array, point: Point, limit: number): readonly Ranked[] {
  const [x, y, z] = toUnitVector(point)
  const best: Ranked[] = []
  let worst = Number.POSITIVE_INFINITY
  stores.forEach((store, index) => {
    const at = index * DIMENSIONS
    const dx = (vectors[at] ?? 0) - x
    const dy = (vectors[at + 1] ?? 0) - y
    const dz = (vectors[at + 2] ?? 0) - z
    const chord = dx * dx + dy * dy + dz * dz
    if (best.length === limit && chord >= worst) return
    insert(best, { store, chord }, limit)
    worst = best.at(-1)?.chord ?? worst
  })
  return best
}

/** Behind equal ones, so that the order of ids decides. */
function insert(best: Ranked[], candidate: Ranked, limit: number): void {
  let place = best.length
  while (place > 0 && (best[place - 1]?.chord ?? 0) > candidate.chord) place--
  best.splice(place, 0, candidate)
  if (best.length > limit) best.pop()
}
