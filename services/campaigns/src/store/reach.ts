import type { Sql } from '@stampede/platform'

/** Whether a member may be pushed, as of a version. */
export interface MemberReach {
  readonly brand: string
  readonly memberId: string
  readonly version: bigint
  readonly reachable: boolean
}

/** Applies member states; an older version changes nothing. */
export async function putMembers(sql: Sql, members: readonly MemberReach[]): Promise<void> {
  if (members.length === 0) return
  await sql.query({
    name: 'member-put',
    text: `INSERT INTO member AS m (brand, member_id, version, reachable)
           SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bool[]) ORDER BY 1, 2
           ON CONFLICT (brand, member_id) DO UPDATE SET version = excluded.version, reachable = excluded.reachable
            WHERE m.version < excluded.version`,
    values: [
      members.map(({ brand }) => brand),
      members.map(({ memberId }) => memberId),
      members.map(({ version }) => version),
      members.map(({ reachable }) => reachable),
    ],
  })
}

/** Remembers whose pass a number is; numbers never change hands. */
export async function putPasses(
  sql: Sql,
  passes: readonly { readonly brand: string; readonly no: bigint; readonly memberId: string }[],
): Promise<void> {
  if (passes.length === 0) return
  await sql.query({
    name: 'pass-put',
    text: `INSERT INTO pass (brand, no, member_id) SELECT * FROM unnest($1::text[], $2::bigint[], $3::uuid[]) ORDER BY 1, 2
           ON CONFLICT DO NOTHING`,
    values: [passes.map(({ brand }) => brand), passes.map(({ no }) => no), passes.map(({ memberId }) => memberId)],
  })
}

/** Pass numbers of a brand whose member must not be pushed. */
export async function readUnreachable(sql: Sql, brand: string): Promise<readonly bigint[]> {
  const rows = await sql.query<{ no: bigint }>(
    `SELECT p.no FROM member m JOIN pass p USING (brand, member_id) WHERE m.brand = $1 AND NOT m.reachable ORDER BY p.no`,
    [brand],
  )
  return rows.map(({ no }) => no)
}
