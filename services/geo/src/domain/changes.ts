import type { Event } from '@stampede/proto/events/v1'

/** What a batch of events says about one brand's members. */
export interface BrandChanges {
  /** Newest state of each member in the batch. */
  readonly members: readonly MemberChange[]
  /** Visits of each member to each store. */
  readonly visits: readonly Visits[]
}

/** A member's enrolment, as far as places depend on it. */
export interface MemberChange {
  readonly memberId: string
  /** Version of the member's own aggregate. */
  readonly version: bigint
  /** Store of enrolment; may be empty. */
  readonly storeId: string
  readonly erased: boolean
}

/** Visits of a member to a store. */
export interface Visits {
  readonly memberId: string
  readonly storeId: string
  readonly count: number
  /** The last of them. */
  readonly lastAt: Date
}

/** Whether an event is a visit: a sale to a known member in a store. A return is no reason to come again. */
export function isVisit(event: Event): boolean {
  if (event.payload?.$case !== 'receipt') return false
  const { kind, memberId, storeId } = event.payload.value
  return kind === 'sale' && memberId !== '' && storeId !== ''
}

/** Sums a batch up by brand, the brands in ascending order. */
export function collectChanges(events: readonly Event[]): ReadonlyMap<string, BrandChanges> {
  const members = new Map<string, Map<string, MemberChange>>()
  const visits = new Map<string, Map<string, Visits>>()
  for (const event of events) {
    if (event.payload?.$case === 'member') addMember(bucket(members, event.brand), event)
    if (isVisit(event)) addVisit(bucket(visits, event.brand), event)
  }
  const brands = [...new Set([...members.keys(), ...visits.keys()])].sort()
  return new Map(
    brands.map((brand) => [
      brand,
      { members: [...(members.get(brand)?.values() ?? [])], visits: [...(visits.get(brand)?.values() ?? [])] },
    ]),
  )
}

function addMember(known: Map<string, MemberChange>, event: Event): void {
  if (event.payload?.$case !== 'member') return
  const { memberId, storeId, status } = event.payload.value
  const version = event.aggregateVersion
  const before = known.get(memberId)
  if (before !== undefined && before.version >= version) return
  known.set(memberId, { memberId, version, storeId, erased: status === 'erased' })
}

function addVisit(known: Map<string, Visits>, event: Event): void {
  if (event.payload?.$case !== 'receipt') return
  const { memberId, storeId, occurredAt } = event.payload.value
  const at = occurredAt ?? event.eventTime ?? new Date(0)
  const key = `${memberId}/${storeId}`
  const before = known.get(key)
  const lastAt = before !== undefined && before.lastAt > at ? before.lastAt : at
  known.set(key, { memberId, storeId, count: (before?.count ?? 0) + 1, lastAt })
}

function bucket<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const known = map.get(key)
  if (known !== undefined) return known
  const fresh = new Map<string, V>()
  map.set(key, fresh)
  return fresh
}
