import { checkBrand, checkUuid, notFound, type Sql } from '@stampede/platform'
import type { GetRelevanceRequest, GetRelevanceResponse, NearStore } from '@stampede/proto/geo/v1'
import type { Context } from '../context.ts'
import { haversineMeters } from '../domain/sphere.ts'
import { recompute } from '../recompute.ts'
import { findMember, lockMembers } from '../store/members.ts'
import { holdRevision } from '../store/revisions.ts'
import type { BrandStores } from '../store-directory.ts'

/** The places on a member's pass, with their distances from the member's own store. */
export async function getRelevance(context: Context, request: GetRelevanceRequest): Promise<GetRelevanceResponse> {
  const brand = checkBrand(request.brand)
  const memberId = checkUuid(request.memberId, 'member_id')
  const { database, stores } = context
  const now = await answer(database, brand, memberId, await stores.get(database, brand))
  if (now !== undefined) return now

  // The stores have changed and the follower has not come to this member yet.
  const fresh = await database.transaction(async (tx) => {
    await holdRevision(tx, brand)
    await recompute(context, tx, brand, await lockMembers(tx, brand, [memberId]))
    return answer(tx, brand, memberId, await stores.get(tx, brand))
  })
  context.wakeRelay()
  if (fresh === undefined) throw new Error('places are out of date right after their computation')
  return fresh
}

/** Undefined if what was published for the member is not what the stores say. Throws NOT_FOUND. */
async function answer(
  sql: Sql,
  brand: string,
  memberId: string,
  stores: BrandStores,
): Promise<GetRelevanceResponse | undefined> {
  const member = await findMember(sql, brand, memberId)
  if (member === undefined) throw notFound()
  const list = stores.placesOf(member.homeStore)
  if (list.digest !== member.digest) return undefined
  const [home] = list.places
  if (home === undefined) return { stores: [], version: member.version }
  const near = list.places.flatMap((place): readonly NearStore[] => {
    const store = stores.index.get(place.storeId)
    return store === undefined ? [] : [{ store, distanceMeters: haversineMeters(home, store) }]
  })
  return { stores: near, version: member.version }
}
