import type { Sql } from '@stampede/platform'

/** The list of one own store whose members are still to be brought up to it. */
export interface PendingList {
  readonly brand: string
  readonly storeId: string
  readonly digest: string
  /** The store was not known before: members who were there already may make it their own. */
  readonly isNew: boolean
}

/** Notes a brand's lists; those that differ from the last plan become pending. */
export async function planLists(
  tx: Sql,
  brand: string,
  lists: readonly { readonly storeId: string; readonly digest: string }[],
): Promise<void> {
  await tx.query(
    `INSERT INTO home_list (brand, store_id, digest, is_new, pending)
     SELECT $1, n.store_id, n.digest, true, true FROM unnest($2::text[], $3::text[]) AS n (store_id, digest)
     ORDER BY n.store_id
     ON CONFLICT (brand, store_id) DO UPDATE SET digest = excluded.digest, pending = true
     WHERE home_list.digest <> excluded.digest`,
    [brand, lists.map((list) => list.storeId), lists.map((list) => list.digest)],
  )
}

/** Pending lists, at most `limit`. */
export async function findPending(sql: Sql, limit: number): Promise<readonly PendingList[]> {
  const rows = await sql.query<{ brand: string; store_id: string; digest: string; is_new: boolean }>(
    'SELECT brand, store_id, digest, is_new FROM home_list WHERE pending ORDER BY brand, store_id LIMIT $1',
    [limit],
  )
  return rows.map((row) => ({ brand: row.brand, storeId: row.store_id, digest: row.digest, isNew: row.is_new }))
}

/** Notes that all members of a list were brought up to it, unless it has changed again meanwhile. */
export async function markDone(sql: Sql, list: PendingList): Promise<void> {
  await sql.query(
    'UPDATE home_list SET pending = false, is_new = false WHERE brand = $1 AND store_id = $2 AND digest = $3',
    [list.brand, list.storeId, list.digest],
  )
}

/**
 * Up to `limit` members behind an id whose places may be wrong because of a pending list: its own members, and for
 * a new store those who were there or enrolled there before it was known.
 */
export async function findAffected(
  sql: Sql,
  list: PendingList,
  afterId: string,
  limit: number,
): Promise<readonly string[]> {
  const rows = await sql.query<{ member_id: string }>(
    `SELECT member_id FROM (
       (SELECT member_id FROM member
        WHERE brand = $1 AND home_store = $2 AND member_id > $4 AND digest <> $3 ORDER BY member_id LIMIT $5)
       UNION
       (SELECT member_id FROM visit
        WHERE $6 AND brand = $1 AND store_id = $2 AND member_id > $4 ORDER BY member_id LIMIT $5)
       UNION
       (SELECT member_id FROM member
        WHERE $6 AND brand = $1 AND enrolled_store = $2 AND home_store IS NULL AND member_id > $4
        ORDER BY member_id LIMIT $5)
     ) AS affected ORDER BY member_id LIMIT $5`,
    [list.brand, list.storeId, list.digest, afterId, limit, list.isNew],
  )
  return rows.map((row) => row.member_id)
}
