import type { Sql } from '@stampede/platform'
import { addDays, monthOf } from '../../domain/calendar.ts'
import type { Draw } from '../../domain/draws/draw.ts'
import { numbers, plain } from '../columns.ts'

/** Points of a sale for a draw. */
export interface DrawReceipt {
  readonly receiptId: string
  readonly memberId: string
  readonly points: bigint
}

interface DrawKey {
  readonly brand: string
  readonly drawId: string
}

/** Makes the rows of sales that are heard of for the first time. */
export async function ensureDrawReceipts(
  tx: Sql,
  { brand, drawId }: DrawKey,
  receipts: readonly Omit<DrawReceipt, 'points'>[],
): Promise<void> {
  if (receipts.length === 0) return
  await tx.query({
    name: 'ledger-ensure-draw-receipts',
    text: `INSERT INTO draw_receipt (brand, draw_id, receipt_id, member_id, points)
      SELECT $1, $2, receipt_id, member_id, 0 FROM unnest($3::uuid[], $4::uuid[]) n (receipt_id, member_id)
      ORDER BY receipt_id ON CONFLICT (receipt_id, brand, draw_id) DO NOTHING`,
    values: [
      brand,
      drawId,
      plain(receipts.map(({ receiptId }) => receiptId)),
      plain(receipts.map(({ memberId }) => memberId)),
    ],
  })
}

/** Points of sales, locked in the order of their ids; sales that are not part of the draw are left out. */
export async function lockDrawReceipts(
  tx: Sql,
  { brand, drawId }: DrawKey,
  receiptIds: readonly string[],
): Promise<readonly DrawReceipt[]> {
  const rows = await tx.query<{ receipt_id: string; member_id: string; points: bigint }>({
    name: 'ledger-lock-draw-receipts',
    text: `SELECT receipt_id, member_id, points FROM draw_receipt
      WHERE receipt_id = ANY($3::uuid[]) AND brand = $1 AND draw_id = $2 ORDER BY receipt_id FOR UPDATE`,
    values: [brand, drawId, receiptIds],
  })
  return rows.map((row) => ({ receiptId: row.receipt_id, memberId: row.member_id, points: row.points }))
}

/** Writes the points of locked sales. */
export async function writeDrawReceipts(
  tx: Sql,
  { brand, drawId }: DrawKey,
  receipts: readonly DrawReceipt[],
): Promise<void> {
  await tx.query({
    name: 'ledger-write-draw-receipts',
    // All of them are there: a conflict finds each by its key, whatever the planner thinks of the table.
    text: `INSERT INTO draw_receipt (brand, draw_id, receipt_id, member_id, points)
      SELECT $1, $2, * FROM unnest($3::uuid[], $4::uuid[], $5::bigint[]) n
      ON CONFLICT (receipt_id, brand, draw_id) DO UPDATE SET points = excluded.points`,
    values: [
      brand,
      drawId,
      plain(receipts.map(({ receiptId }) => receiptId)),
      plain(receipts.map(({ memberId }) => memberId)),
      numbers(receipts.map(({ points }) => points)),
    ],
  })
}

/**
 * Sales of the draw's time whose points are not yet what they should be: those that were not heard of, and those with
 * returns that were not. Reads all receipts of that time.
 */
export async function readMissed(
  sql: Sql,
  brand: string,
  { drawId, fromMs, cutOffMs, earnBasisPoints }: Draw,
  limit: number,
): Promise<readonly Omit<DrawReceipt, 'points'>[]> {
  const day = (atMs: number) => new Date(atMs).toISOString().slice(0, 10)
  const rows = await sql.query<{ receipt_id: string; member_id: string }>({
    name: 'ledger-read-missed-draw-receipts',
    text: `SELECT r.receipt_id, r.member_id FROM receipt r
      CROSS JOIN LATERAL (SELECT sum(m - div(m * returned, quantity)) AS kept FROM (
        SELECT (amount - paid * r.point_value_minor)::numeric AS m, quantity, returned
        FROM unnest(r.line_amounts, r.line_paid, r.line_quantities, r.line_returned)
          l (amount, paid, quantity, returned)) lines) k
      LEFT JOIN LATERAL (SELECT points FROM draw_receipt
        WHERE receipt_id = r.receipt_id AND brand = r.brand AND draw_id = $2 LIMIT 1) d ON true
      WHERE r.brand = $1 AND r.kind = 'sale' AND r.month BETWEEN $3 AND $4 AND r.occurred_at >= $5 AND r.occurred_at < $6
        AND coalesce(d.points, 0) <> div(k.kept * $7, 10000)
      LIMIT $8`,
    values: [
      brand,
      drawId,
      monthOf(addDays(day(fromMs), -1)),
      monthOf(addDays(day(cutOffMs), 1)),
      new Date(fromMs),
      new Date(cutOffMs),
      earnBasisPoints,
      limit,
    ],
  })
  return rows.map((row) => ({ receiptId: row.receipt_id, memberId: row.member_id }))
}

/** Points of all members who have earned some, or of one. */
export async function readStandings(
  sql: Sql,
  { brand, drawId }: DrawKey,
  memberId?: string,
): Promise<readonly { readonly memberId: string; readonly points: bigint }[]> {
  const rows = await sql.query<{ member_id: string; points: bigint }>({
    name: 'ledger-read-draw-standings',
    text: `SELECT member_id, sum(points)::bigint AS points FROM draw_receipt
      WHERE draw_id = $2 AND brand = $1 AND ($3::uuid IS NULL OR member_id = $3)
      GROUP BY member_id HAVING sum(points) > 0`,
    values: [brand, drawId, memberId ?? null],
  })
  return rows.map((row) => ({ memberId: row.member_id, points: row.points }))
}

/** Members with points of a draw from behind one of them, all or only those with tickets. */
export async function readEntrants(
  sql: Sql,
  { brand, drawId }: DrawKey,
  { afterId, burn, limit }: { readonly afterId: string; readonly burn: Draw['burn']; readonly limit: number },
): Promise<readonly string[]> {
  const table = burn === 'all' ? 'draw_receipt' : 'draw_ticket'
  const rows = await sql.query<{ member_id: string }>({
    name: `ledger-read-${table}-members`,
    text: `SELECT DISTINCT member_id FROM ${table} WHERE draw_id = $2 AND brand = $1 AND member_id > $3
      ORDER BY member_id LIMIT $4`,
    values: [brand, drawId, afterId, limit],
  })
  return rows.map((row) => row.member_id)
}
