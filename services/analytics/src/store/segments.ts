import type { ClickHouse } from '@stampede/platform'
import { selectRows } from './clickhouse.ts'

/** Members of one cell of the R x F grid; r and f are 0 for prospects. */
export interface CellCount {
  readonly r: number
  readonly f: number
  readonly segment: string
  readonly members: string
  readonly revenueMinor: string
  readonly churning: string
}

/** The score of one member. */
export interface MemberScore {
  readonly r: number
  readonly f: number
  readonly m: number
  readonly segment: string
  readonly churning: boolean
  readonly recencyDays: number
  readonly frequency: number
  readonly monetaryMinor: string
}

/** Counts of all cells that hold a member. */
export function cellCounts(client: ClickHouse, brand: string, snapshotId: string): Promise<readonly CellCount[]> {
  return selectRows<CellCount>(
    client,
    `SELECT r, f, segment, toString(count()) AS members, toString(sum(monetary_minor)) AS revenueMinor, toString(countIf(churning)) AS churning
     FROM stampede.member_scores WHERE brand = {brand:String} AND snapshot_id = {snapshotId:UUID}
     GROUP BY r, f, segment ORDER BY r, f`,
    { brand, snapshotId },
  )
}

/** The member's score in a snapshot; undefined for a member it does not hold. */
export async function memberScore(
  client: ClickHouse,
  brand: string,
  snapshotId: string,
  memberId: string,
): Promise<MemberScore | undefined> {
  const [row] = await selectRows<MemberScore>(
    client,
    `SELECT r, f, m, segment, churning, recency_days AS recencyDays, frequency, toString(monetary_minor) AS monetaryMinor
     FROM stampede.member_scores
     WHERE brand = {brand:String} AND snapshot_id = {snapshotId:UUID} AND member_id = {memberId:String}`,
    { brand, snapshotId, memberId },
  )
  return row
}
