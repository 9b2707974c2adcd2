import type { Sql } from '@stampede/platform'
import { numbers, plain } from './columns.ts'

/** What a member's receipts of tills without a connection have taken on a business day. */
export interface OfflineDay {
  readonly brand: string
  readonly memberId: string
  /** YYYY-MM-DD in the brand's zone. */
  readonly day: string
  readonly points: bigint
}

/** One text for a member's day. */
export function offlineText({ brand, memberId, day }: Omit<OfflineDay, 'points'>): string {
  return `${brand}/${memberId}/${day}`
}

/** Days by member; those without such receipts are left out. */
export async function readOfflineDays(
  sql: Sql,
  keys: readonly Omit<OfflineDay, 'points'>[],
): Promise<readonly OfflineDay[]> {
  if (keys.length === 0) return []
  const rows = await sql.query<{ brand: string; member_id: string; day: string; points: bigint }>({
    name: 'ledger-read-offline-days',
    text: `SELECT o.brand, o.member_id, o.day::text, o.points
      FROM unnest($1::text[], $2::uuid[], $3::date[]) k (brand, member_id, day)
      CROSS JOIN LATERAL (SELECT * FROM offline_day
        WHERE member_id = k.member_id AND day = k.day AND brand = k.brand LIMIT 1) o`,
    values: columnsOf(keys),
  })
  return rows.map(({ brand, member_id: memberId, day, points }) => ({ brand, memberId, day, points }))
}

/** Writes days; the members' accounts are locked. */
export async function writeOfflineDays(tx: Sql, days: readonly OfflineDay[]): Promise<void> {
  if (days.length === 0) return
  await tx.query({
    name: 'ledger-write-offline-days',
    text: `INSERT INTO offline_day (brand, member_id, day, points)
      SELECT * FROM unnest($1::text[], $2::uuid[], $3::date[], $4::bigint[])
      ON CONFLICT (member_id, day, brand) DO UPDATE SET points = excluded.points`,
    values: [...columnsOf(days), numbers(days.map(({ points }) => points))],
  })
}

function columnsOf(keys: readonly Omit<OfflineDay, 'points'>[]): readonly unknown[] {
  return [
    keys.map(({ brand }) => brand),
    plain(keys.map(({ memberId }) => memberId)),
    plain(keys.map(({ day }) => day)),
  ]
}
