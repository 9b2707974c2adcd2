import type { Sql } from '@stampede/platform'
import { instants, numbers, plain } from './columns.ts'

/** What finds a grant: a member's event. */
export interface EventKey {
  readonly brand: string
  readonly memberId: string
  readonly eventKey: string
}

/** What was given for an event. */
export interface EventGrant extends EventKey {
  readonly grantId: string
  /** What it gives now, corrections included. */
  readonly points: bigint
  /** SHA-256 of the request without its idempotency key. */
  readonly contentHash: Buffer
  readonly grantedAtMs: number
}

/** One text for an event of a member. */
export function eventText({ brand, memberId, eventKey }: EventKey): string {
  return JSON.stringify([brand, memberId, eventKey])
}

/** Grants by event; events that gave nothing yet are left out. */
export async function readEventGrants(sql: Sql, keys: readonly EventKey[]): Promise<readonly EventGrant[]> {
  if (keys.length === 0) return []
  const rows = await sql.query<{
    brand: string
    member_id: string
    event_key: string
    grant_id: string
    points: bigint
    content_hash: Buffer
    granted_at: Date
  }>({
    name: 'ledger-read-event-grants',
    text: `SELECT g.* FROM unnest($1::text[], $2::uuid[], $3::text[]) k (brand, member_id, event_key)
      CROSS JOIN LATERAL (SELECT * FROM event_grant
        WHERE brand = k.brand AND member_id = k.member_id AND event_key = k.event_key LIMIT 1) g`,
    values: columnsOf(keys),
  })
  return rows.map((row) => ({
    brand: row.brand,
    memberId: row.member_id,
    eventKey: row.event_key,
    grantId: row.grant_id,
    points: row.points,
    contentHash: row.content_hash,
    grantedAtMs: row.granted_at.getTime(),
  }))
}

/** Stores new grants and what corrections have made of others; the members' accounts are locked. */
export async function writeEventGrants(tx: Sql, grants: readonly EventGrant[]): Promise<void> {
  if (grants.length === 0) return
  await tx.query({
    name: 'ledger-write-event-grants',
    text: `INSERT INTO event_grant (brand, member_id, event_key, grant_id, points, content_hash, granted_at)
      SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::bytea[], $7::timestamptz[])
      ON CONFLICT (brand, member_id, event_key) DO UPDATE SET points = excluded.points`,
    values: [
      ...columnsOf(grants),
      plain(grants.map(({ grantId }) => grantId)),
      numbers(grants.map(({ points }) => points)),
      grants.map(({ contentHash }) => contentHash),
      instants(grants.map(({ grantedAtMs }) => grantedAtMs)),
    ],
  })
}

function columnsOf(keys: readonly EventKey[]): readonly unknown[] {
  return [
    keys.map(({ brand }) => brand),
    plain(keys.map(({ memberId }) => memberId)),
    keys.map(({ eventKey }) => eventKey),
  ]
}
