import { createHash } from 'node:crypto'
import { type Beacon, type Place, RelevanceState } from '@stampede/proto/events/v1'
import type { Store } from '@stampede/proto/geo/v1'
import type { StoreIndex } from './store-index.ts'

/** Places on a pass: Wallet takes ten. */
export const PLACES_MAX = 10
/** Beacons on a pass. */
export const BEACONS_MAX = 10

const DIGEST_DIGITS = 32

/** What the passes of all members with the same own store carry. */
export interface RelevantPlaces {
  /** At most 10, the own store first, then by distance from it. */
  readonly places: readonly Place[]
  /** Beacons of those places in their order, at most 10. */
  readonly beacons: readonly Beacon[]
  /** Equal exactly if places and beacons are equal; empty for none. */
  readonly digest: string
}

/** What the pass of a member without own store carries. */
export const noPlaces: RelevantPlaces = { places: [], beacons: [], digest: '' }

/** The places of members whose own store this is. */
export function relevantPlaces(index: StoreIndex, homeStoreId: string): RelevantPlaces {
  const home = index.get(homeStoreId)
  if (home === undefined) return noPlaces
  const near = index.nearest(home, PLACES_MAX).map(({ store }) => store)
  // Another store under the same roof could outrank it.
  const stores = [home, ...near.filter((store) => store.storeId !== homeStoreId)].slice(0, PLACES_MAX)
  const places = stores.map(toPlace)
  const beacons = stores.flatMap(toBeacons).slice(0, BEACONS_MAX)
  return { places, beacons, digest: digestOf(places, beacons) }
}

function toPlace(store: Store): Place {
  const { storeId, name, latitude, longitude, relevantText } = store
  return { storeId, name, latitude, longitude, relevantText }
}

function toBeacons(store: Store): readonly Beacon[] {
  return store.beacons.map((beacon) => ({ ...beacon, relevantText: store.relevantText }))
}

function digestOf(places: readonly Place[], beacons: readonly Beacon[]): string {
  const bytes = RelevanceState.encode({ memberId: '', places: [...places], beacons: [...beacons] }).finish()
  return createHash('sha256').update(bytes).digest('hex').slice(0, DIGEST_DIGITS)
}
