import type { Sql } from '@stampede/platform'
import { instants, numbers, plain } from './columns.ts'
import type { BrandId } from './keys.ts'

/** A correction of a balance by hand. */
export interface Adjustment {
  readonly brand: string
  readonly adjustmentId: string
  readonly memberId: string
  /** Signed, not zero. */
  readonly points: bigint
  readonly reason: string
  readonly state: 'proposed' | 'posted' | 'rejected'
  /** Key of the API. */
  readonly proposedBy: string
  readonly proposedAtMs: number
  /** Key of the API; null as long as nobody has resolved it, and where nobody had to. */
  readonly resolvedBy: string | null
  readonly resolvedAtMs: number | null
}

interface RawAdjustment {
  readonly brand: string
  readonly adjustment_id: string
  readonly member_id: string
  readonly points: bigint
  readonly reason: string
  readonly state: Adjustment['state']
  readonly proposed_by: string
  readonly proposed_at: Date
  readonly resolved_by: string | null
  readonly resolved_at: Date | null
}

/** Adjustments by id. */
export async function readAdjustments(sql: Sql, ids: readonly BrandId[]): Promise<readonly Adjustment[]> {
  if (ids.length === 0) return []
  const rows = await sql.query<RawAdjustment>({
    name: 'ledger-read-adjustments',
    text: `SELECT a.* FROM unnest($1::text[], $2::uuid[]) k (brand, adjustment_id)
      CROSS JOIN LATERAL (SELECT * FROM adjustment
        WHERE brand = k.brand AND adjustment_id = k.adjustment_id LIMIT 1) a`,
    values: [ids.map(({ brand }) => brand), plain(ids.map(({ id }) => id))],
  })
  return rows.map(fromRow)
}

/** Adjustments that wait for a second person, after an id, oldest first. */
export async function readOpenAdjustments(
  sql: Sql,
  brand: string,
  afterId: string | null,
  limit: number,
): Promise<readonly Adjustment[]> {
  const rows = await sql.query<RawAdjustment>({
    name: 'ledger-read-open-adjustments',
    text: `SELECT * FROM adjustment
      WHERE brand = $1 AND state = 'proposed' AND ($2::uuid IS NULL OR adjustment_id > $2)
      ORDER BY adjustment_id LIMIT $3`,
    values: [brand, afterId, limit],
  })
  return rows.map(fromRow)
}

/** Stores new adjustments and what became of others; the members' accounts are locked. */
export async function writeAdjustments(tx: Sql, adjustments: readonly Adjustment[]): Promise<void> {
  if (adjustments.length === 0) return
  await tx.query({
    name: 'ledger-write-adjustments',
    text: `INSERT INTO adjustment (brand, adjustment_id, member_id, points, reason, state, proposed_by, proposed_at,
        resolved_by, resolved_at)
      SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[],
        $8::timestamptz[], $9::text[], $10::timestamptz[])
      ON CONFLICT (brand, adjustment_id) DO UPDATE SET state = excluded.state, resolved_by = excluded.resolved_by,
        resolved_at = excluded.resolved_at`,
    values: [
      adjustments.map(({ brand }) => brand),
      plain(adjustments.map(({ adjustmentId }) => adjustmentId)),
      plain(adjustments.map(({ memberId }) => memberId)),
      numbers(adjustments.map(({ points }) => points)),
      adjustments.map(({ reason }) => reason),
      plain(adjustments.map(({ state }) => state)),
      adjustments.map(({ proposedBy }) => proposedBy),
      instants(adjustments.map(({ proposedAtMs }) => proposedAtMs)),
      adjustments.map(({ resolvedBy }) => resolvedBy),
      instants(adjustments.map(({ resolvedAtMs }) => resolvedAtMs ?? Number.POSITIVE_INFINITY)),
    ],
  })
}

function fromRow(row: RawAdjustment): Adjustment {
  return {
    brand: row.brand,
    adjustmentId: row.adjustment_id,
    memberId: row.member_id,
    points: row.points,
    reason: row.reason,
    state: row.state,
    proposedBy: row.proposed_by,
    proposedAtMs: row.proposed_at.getTime(),
    resolvedBy: row.resolved_by,
    resolvedAtMs: row.resolved_at?.getTime() ?? null,
  }
}
