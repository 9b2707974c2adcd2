import type { Sql } from '@stampede/platform'
import type { MemberChange, Visits } from '../domain/changes.ts'

/** What is known of a member. */
export interface MemberRow {
  readonly memberId: string
  /** Version of the member's own events. */
  readonly memberVersion: bigint
  /** May be empty. */
  readonly enrolledStore: string
  readonly erased: boolean
  /** The member's own store; null for none. */
  readonly homeStore: string | null
  /** Digest of the published places; empty for none. */
  readonly digest: string
  /** Version of the published places; 0 before the first. */
  readonly version: bigint
}

interface MemberColumns {
  member_id: string
  member_version: bigint
  enrolled_store: string
  erased: boolean
  home_store: string | null
  digest: string
  version: bigint
}

const columns = 'member_id, member_version, enrolled_store, erased, home_store, digest, version'

/** Makes rows for members that have none yet. */
export async function ensureMembers(tx: Sql, brand: string, ids: readonly string[]): Promise<void> {
  await tx.query({
    name: 'geo-member-ensure',
    text: `INSERT INTO member (brand, member_id) SELECT $1, id FROM unnest($2::uuid[]) AS n (id) ORDER BY id
     ON CONFLICT DO NOTHING`,
    values: [brand, ids],
  })
}

/** Locks members in the order of ids, so that two batches wait for each other instead of deadlocking. */
export async function lockMembers(tx: Sql, brand: string, ids: readonly string[]): Promise<readonly MemberRow[]> {
  const rows = await tx.query<MemberColumns>({
    name: 'geo-member-lock',
    text: `SELECT ${columns} FROM member WHERE brand = $1 AND member_id = ANY($2::uuid[]) ORDER BY member_id FOR UPDATE`,
    values: [brand, ids],
  })
  return rows.map(fromColumns)
}

/** A member. */
export async function findMember(sql: Sql, brand: string, memberId: string): Promise<MemberRow | undefined> {
  const [row] = await sql.query<MemberColumns>(`SELECT ${columns} FROM member WHERE brand = $1 AND member_id = $2`, [
    brand,
    memberId,
  ])
  return row === undefined ? undefined : fromColumns(row)
}

/**
 * Stores members' own states. The condition on the list of ids is there, as in updatePlaces, because with the join
 * alone the planner reads the whole table.
 */
export async function updateMembers(tx: Sql, brand: string, changes: readonly MemberChange[]): Promise<void> {
  if (changes.length === 0) return
  await tx.query({
    name: 'geo-member-update',
    text: `UPDATE member SET member_version = n.version, enrolled_store = n.store_id, erased = n.erased
     FROM unnest($2::uuid[], $3::bigint[], $4::text[], $5::boolean[]) AS n (member_id, version, store_id, erased)
     WHERE member.brand = $1 AND member.member_id = ANY($2::uuid[]) AND member.member_id = n.member_id`,
    values: [
      brand,
      changes.map((change) => change.memberId),
      changes.map((change) => change.version),
      changes.map((change) => change.storeId),
      changes.map((change) => change.erased),
    ],
  })
}

/** Adds visits; the members are locked by the caller. */
export async function addVisits(tx: Sql, brand: string, visits: readonly Visits[]): Promise<void> {
  if (visits.length === 0) return
  await tx.query({
    name: 'geo-visit-add',
    text: `INSERT INTO visit (brand, member_id, store_id, visits, last_at)
     SELECT $1, n.* FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[])
       AS n (member_id, store_id, visits, last_at)
     ON CONFLICT (brand, member_id, store_id) DO UPDATE SET visits = visit.visits + excluded.visits,
       last_at = greatest(visit.last_at, excluded.last_at)`,
    values: [
      brand,
      visits.map((one) => one.memberId),
      visits.map((one) => one.storeId),
      visits.map((one) => one.count),
      visits.map((one) => one.lastAt),
    ],
  })
}

/** Forgets where erased members were. */
export async function forgetVisits(tx: Sql, brand: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await tx.query('DELETE FROM visit WHERE brand = $1 AND member_id = ANY($2::uuid[])', [brand, ids])
}

/** The most used store of each member among those whose place is known; of equally used ones the latest. */
export async function findMostUsed(
  tx: Sql,
  brand: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await tx.query<{ member_id: string; store_id: string }>({
    name: 'geo-visit-most-used',
    text: `SELECT DISTINCT ON (v.member_id) v.member_id, v.store_id
     FROM visit v JOIN store s ON s.brand = v.brand AND s.store_id = v.store_id
     WHERE v.brand = $1 AND v.member_id = ANY($2::uuid[])
     ORDER BY v.member_id, v.visits DESC, v.last_at DESC, v.store_id`,
    values: [brand, ids],
  })
  return new Map(rows.map((row) => [row.member_id, row.store_id]))
}

/** New places of a member. */
export interface PlacesUpdate {
  readonly memberId: string
  readonly homeStore: string | null
  readonly digest: string
  readonly version: bigint
}

/** Stores members' new places. */
export async function updatePlaces(tx: Sql, brand: string, updates: readonly PlacesUpdate[]): Promise<void> {
  await tx.query({
    name: 'geo-member-places',
    text: `UPDATE member SET home_store = n.home_store, digest = n.digest, version = n.version
     FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[]) AS n (member_id, home_store, digest, version)
     WHERE member.brand = $1 AND member.member_id = ANY($2::uuid[]) AND member.member_id = n.member_id`,
    values: [
      brand,
      updates.map((update) => update.memberId),
      updates.map((update) => update.homeStore),
      updates.map((update) => update.digest),
      updates.map((update) => update.version),
    ],
  })
}

function fromColumns(row: MemberColumns): MemberRow {
  return {
    memberId: row.member_id,
    memberVersion: row.member_version,
    enrolledStore: row.enrolled_store,
    erased: row.erased,
    homeStore: row.home_store,
    digest: row.digest,
    version: row.version,
  }
}
