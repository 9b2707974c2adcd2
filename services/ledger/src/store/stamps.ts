import type { Sql } from '@stampede/platform'
import type { SaleRecord } from '../domain/sale.ts'
import { numbers, plain } from './columns.ts'
import { drawsOf } from './draws.ts'
import { type BrandId, brandIdText } from './keys.ts'

/** What a receipt did to a stamp card. */
export interface StampReceipt {
  readonly brand: string
  readonly memberId: string
  readonly cardId: string
  readonly programmeVersion: number
  /** Line of the receipt that each line of the record belongs to. */
  readonly lineIndexes: readonly number[]
  readonly record: SaleRecord
}

/** One text for a receipt's stamps on a card. */
export function stampText({ brand, cardId, record }: StampReceipt): string {
  return `${brandIdText(brand, record.receiptId)}/${cardId}`
}

interface RawStamps {
  readonly brand: string
  readonly receipt_id: string
  readonly card_id: string
  readonly member_id: string
  readonly programme_version: number
  readonly line_indexes: readonly number[]
  readonly line_quantities: readonly bigint[]
  readonly line_earned: readonly bigint[]
  readonly line_paid: readonly bigint[]
  readonly line_returned: readonly bigint[]
  readonly lot_id: string | null
  readonly spend_lots: readonly string[]
  readonly spend_points: readonly bigint[]
  readonly reverse_lots: readonly string[]
  readonly reverse_points: readonly bigint[]
  readonly reverse_debt: bigint
}

/** Stamps of sales, for their returns. */
export async function readStamps(sql: Sql, sales: readonly BrandId[]): Promise<readonly StampReceipt[]> {
  if (sales.length === 0) return []
  const rows = await sql.query<RawStamps>({
    name: 'ledger-read-stamps',
    text: `SELECT s.brand, s.receipt_id, s.card_id, s.member_id, s.programme_version, s.line_indexes, s.line_quantities,
        s.line_earned, s.line_paid, s.line_returned, s.lot_id, s.spend_lots::text[], s.spend_points,
        s.reverse_lots::text[], s.reverse_points, s.reverse_debt
      FROM (SELECT DISTINCT brand, receipt_id FROM unnest($1::text[], $2::uuid[]) n (brand, receipt_id)) k
      JOIN stamp_receipt s ON s.receipt_id = k.receipt_id AND s.brand = k.brand`,
    values: [sales.map(({ brand }) => brand), plain(sales.map(({ id }) => id))],
  })
  return rows.map(stampsFromRow)
}

function stampsFromRow(row: RawStamps): StampReceipt {
  return {
    brand: row.brand,
    memberId: row.member_id,
    cardId: row.card_id,
    programmeVersion: row.programme_version,
    lineIndexes: row.line_indexes,
    record: {
      receiptId: row.receipt_id,
      lines: row.line_quantities.map((quantity, index) => ({
        sku: '',
        category: '',
        quantity,
        amountMinor: 0n,
        discountMinor: 0n,
        earned: row.line_earned[index] ?? 0n,
        paid: row.line_paid[index] ?? 0n,
        returned: row.line_returned[index] ?? 0n,
      })),
      pointValueMinor: 0n,
      lotId: row.lot_id,
      spendDraws: drawsOf(row.spend_lots, row.spend_points),
      reverseDraws: drawsOf(row.reverse_lots, row.reverse_points),
      reverseDebt: row.reverse_debt,
      reversePending: 0n,
    },
  }
}

/** Stores new stamps of receipts, and what returns have changed of known ones. */
export async function writeStamps(tx: Sql, stamps: readonly StampReceipt[]): Promise<void> {
  if (stamps.length === 0) return
  const lines = (pick: (line: SaleRecord['lines'][number]) => bigint) =>
    stamps.map(({ record }) => numbers(record.lines.map(pick)))
  await tx.query({
    name: 'ledger-write-stamps',
    text: `INSERT INTO stamp_receipt (brand, receipt_id, card_id, member_id, programme_version, line_indexes,
        line_quantities, line_earned, line_paid, line_returned, lot_id, spend_lots, spend_points, reverse_lots,
        reverse_points, reverse_debt)
      SELECT n.brand, n.receipt_id, n.card_id, n.member_id, n.version, n.indexes::integer[], n.quantities::bigint[],
        n.earned::bigint[], n.paid::bigint[], n.returned::bigint[], n.lot_id, n.spend_lots::uuid[],
        n.spend_points::bigint[], n.reverse_lots::uuid[], n.reverse_points::bigint[], n.reverse_debt
      FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::integer[], $6::text[], $7::text[], $8::text[],
        $9::text[], $10::text[], $11::uuid[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bigint[])
        n (brand, receipt_id, card_id, member_id, version, indexes, quantities, earned, paid, returned, lot_id,
          spend_lots, spend_points, reverse_lots, reverse_points, reverse_debt)
      ON CONFLICT (receipt_id, card_id, brand) DO UPDATE SET line_returned = excluded.line_returned,
        reverse_lots = excluded.reverse_lots, reverse_points = excluded.reverse_points,
        reverse_debt = excluded.reverse_debt`,
    values: [
      stamps.map(({ brand }) => brand),
      plain(stamps.map(({ record }) => record.receiptId)),
      plain(stamps.map(({ cardId }) => cardId)),
      plain(stamps.map(({ memberId }) => memberId)),
      numbers(stamps.map(({ programmeVersion }) => programmeVersion)),
      stamps.map(({ lineIndexes }) => numbers(lineIndexes)),
      lines(({ quantity }) => quantity),
      lines(({ earned }) => earned),
      lines(({ paid }) => paid),
      lines(({ returned }) => returned),
      plain(stamps.map(({ record }) => record.lotId)),
      stamps.map(({ record }) => plain(record.spendDraws.map(({ lotId }) => lotId))),
      stamps.map(({ record }) => numbers(record.spendDraws.map(({ points }) => points))),
      stamps.map(({ record }) => plain(record.reverseDraws.map(({ lotId }) => lotId))),
      stamps.map(({ record }) => numbers(record.reverseDraws.map(({ points }) => points))),
      numbers(stamps.map(({ record }) => record.reverseDebt)),
    ],
  })
}
