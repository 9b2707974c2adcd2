import type { Sql } from '@stampede/platform'
import type { UsedLine } from '../../domain/discounts/member-prices.ts'
import { numbers, plain, texts } from '../columns.ts'
import type { MemberKey } from '../tiers.ts'

/** A day of a member. */
export interface MemberDay extends MemberKey {
  /** YYYY-MM-DD. */
  readonly day: string
}

/** What a sale sold at the member's own prices. */
export interface PriceUse extends MemberDay {
  readonly receiptId: string
  readonly lines: readonly UsedLine[]
}

interface RawUse {
  readonly brand: string
  readonly member_id: string
  readonly day: string
  readonly receipt_id: string
  readonly line_indexes: readonly number[]
  readonly line_skus: readonly string[]
  readonly line_units: readonly bigint[]
  readonly line_quantities: readonly bigint[]
  readonly line_returned: readonly bigint[]
}

/** What was sold at members' own prices on days of theirs. */
export async function readPriceUses(sql: Sql, days: readonly MemberDay[]): Promise<readonly PriceUse[]> {
  if (days.length === 0) return []
  const rows = await sql.query<RawUse>({
    name: 'ledger-read-price-uses',
    text: `SELECT u.brand, u.member_id, u.day::text, u.receipt_id, u.line_indexes, u.line_skus, u.line_units,
        r.line_quantities, r.line_returned
      FROM (SELECT DISTINCT brand, member_id, day FROM unnest($1::text[], $2::uuid[], $3::date[]) n (brand, member_id, day)) k
      JOIN member_price_use u ON u.member_id = k.member_id AND u.brand = k.brand AND u.day = k.day
      CROSS JOIN LATERAL (SELECT line_quantities, line_returned FROM receipt
        WHERE receipt_id = u.receipt_id AND brand = u.brand AND month = date_trunc('month', u.day)::date LIMIT 1) r`,
    values: [
      days.map(({ brand }) => brand),
      plain(days.map(({ memberId }) => memberId)),
      plain(days.map(({ day }) => day)),
    ],
  })
  return rows.map((row) => ({
    brand: row.brand,
    memberId: row.member_id,
    day: row.day,
    receiptId: row.receipt_id,
    lines: row.line_indexes.map((lineIndex, index) => ({
      lineIndex,
      sku: row.line_skus[index] ?? '',
      units: row.line_units[index] ?? 0n,
      quantity: row.line_quantities[lineIndex] ?? 1n,
      returned: row.line_returned[lineIndex] ?? 0n,
    })),
  }))
}

/** Notes what sales sold at members' own prices. */
export async function insertPriceUses(tx: Sql, uses: readonly PriceUse[]): Promise<void> {
  if (uses.length === 0) return
  await tx.query({
    name: 'ledger-insert-price-uses',
    text: `INSERT INTO member_price_use (brand, member_id, day, receipt_id, line_indexes, line_skus, line_units)
      SELECT n.brand, n.member_id, n.day, n.receipt_id, n.indexes::integer[], n.skus::text[], n.units::bigint[]
      FROM unnest($1::text[], $2::uuid[], $3::date[], $4::uuid[], $5::text[], $6::text[], $7::text[])
        n (brand, member_id, day, receipt_id, indexes, skus, units)`,
    values: [
      uses.map(({ brand }) => brand),
      plain(uses.map(({ memberId }) => memberId)),
      plain(uses.map(({ day }) => day)),
      plain(uses.map(({ receiptId }) => receiptId)),
      uses.map(({ lines }) => numbers(lines.map(({ lineIndex }) => lineIndex))),
      uses.map(({ lines }) => texts(lines.map(({ sku }) => sku))),
      uses.map(({ lines }) => numbers(lines.map(({ units }) => units))),
    ],
  })
}
