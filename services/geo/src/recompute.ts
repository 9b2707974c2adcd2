import { type Sql, writeOutbox } from '@stampede/platform'
import type { Context } from './context.ts'
import { relevanceChanged } from './events.ts'
import { findMostUsed, type MemberRow, type PlacesUpdate, updatePlaces } from './store/members.ts'
import type { BrandStores } from './store-directory.ts'

/**
 * Brings members' places up to date and publishes those that changed; returns how many did. The caller's transaction
 * holds the brand's revision and the members' locks.
 */
export async function recompute(
  context: Context,
  tx: Sql,
  brand: string,
  members: readonly MemberRow[],
): Promise<number> {
  if (members.length === 0) return 0
  const stores = await context.stores.get(tx, brand)
  const mostUsed = await findMostUsed(
    tx,
    brand,
    members.map((member) => member.memberId),
  )
  const updates = members.flatMap((member) => updateOf(member, chooseHome(member, mostUsed, stores), stores))
  if (updates.length === 0) return 0
  await updatePlaces(tx, brand, updates)

  const now = context.clock.now()
  const versions = new Map(members.map((member) => [member.memberId, member.version]))
  const published = updates.filter((update) => update.version !== versions.get(update.memberId))
  await writeOutbox(
    tx,
    published.map(({ memberId, version, homeStore }) =>
      relevanceChanged(brand, memberId, version, stores.placesOf(homeStore), now),
    ),
  )
  return published.length
}

/** The most used store, else that of enrolment, if its place is known; none for erased members. */
function chooseHome(member: MemberRow, mostUsed: ReadonlyMap<string, string>, stores: BrandStores): string | null {
  if (member.erased) return null
  const used = mostUsed.get(member.memberId)
  if (used !== undefined) return used
  return stores.index.get(member.enrolledStore) === undefined ? null : member.enrolledStore
}

function updateOf(member: MemberRow, homeStore: string | null, stores: BrandStores): readonly PlacesUpdate[] {
  const { memberId } = member
  const { digest } = stores.placesOf(homeStore)
  if (digest !== member.digest) return [{ memberId, homeStore, digest, version: member.version + 1n }]
  return homeStore === member.homeStore ? [] : [{ memberId, homeStore, digest, version: member.version }]
}
