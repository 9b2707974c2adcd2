import type { Sql } from '@stampede/platform'
import type { Draw } from '../domain/account.ts'
import type { DiscountStep } from '../domain/discounts/basket.ts'
import type { Explanation } from '../domain/earn.ts'
import type { RecordedLine, SaleRecord } from '../domain/sale.ts'
import { decodeExplanations, type Explained, encodeExplanations } from '../explanations.ts'
import { instants, numbers, plain, texts } from './columns.ts'
import { drawsOf } from './draws.ts'
import type { BrandId } from './keys.ts'

/** What makes a receipt one and the same: the till's numbers of a sale, the return_id of a return. */
export interface NaturalKey {
  readonly brand: string
  readonly kind: 'sale' | 'return'
  /** Empty for a return. */
  readonly storeId: string
  /** Empty for a return. */
  readonly tillId: string
  /** YYYY-MM-DD in the brand's zone; not part of a return's key. */
  readonly businessDay: string
  /** Of the business day, YYYY-MM-01. */
  readonly month: string
  /** The till's number, or the return_id. */
  readonly number: string
}

/** One text for a natural key. */
export function naturalText(key: NaturalKey): string {
  if (key.kind === 'return') return JSON.stringify([key.brand, key.number])
  return JSON.stringify([key.brand, key.storeId, key.tillId, key.businessDay, key.number])
}

/** A receipt that has a natural key already. */
export interface KnownReceipt {
  readonly natural: NaturalKey
  readonly receiptId: string
  /** SHA-256 over the method and the request without its key. */
  readonly contentHash: Buffer
  /** Encoded answer; null once it is older than answers are kept. */
  readonly response: Uint8Array | null
}

/** A sale as stored. */
export interface StoredSale {
  readonly brand: string
  readonly memberId: string
  readonly storeId: string
  readonly tillId: string
  readonly programmeVersion: number
  readonly record: SaleRecord
}

/** A sale or return to be stored. */
export interface NewReceipt {
  readonly natural: NaturalKey
  readonly receiptId: string
  readonly memberId: string
  readonly occurredAtMs: number
  readonly programmeVersion: number
  readonly pointValueMinor: bigint
  readonly totalMinor: bigint
  readonly refundMinor: bigint
  readonly earned: bigint
  readonly spent: bigint
  /** Points of a till without a connection that the member did not have. */
  readonly short: bigint
  readonly holdId: string | null
  readonly originalReceiptId: string | null
  readonly contentHash: Buffer
  readonly idempotencyKey: string
  readonly lotId: string | null
  readonly spendDraws: readonly Draw[]
  /** Lines of a sale; empty for a return. */
  readonly lines: readonly RecordedLine[]
  /** How a sale's points came about; empty for a return. */
  readonly explanations: readonly Explanation[]
  readonly discountSteps: readonly DiscountStep[]
  /** Lines of a return; empty for a sale. */
  readonly returnLines: readonly { readonly lineIndex: number; readonly quantity: bigint }[]
}

/** Finds receipts by natural key. */
export async function readKnownReceipts(sql: Sql, keys: readonly NaturalKey[]): Promise<readonly KnownReceipt[]> {
  const sales = keys.filter((key) => key.kind === 'sale')
  const returns = keys.filter((key) => key.kind === 'return')
  return [...(await readKnownSales(sql, sales)), ...(await readKnownReturns(sql, returns))]
}

interface RawKnown {
  readonly position: bigint
  readonly receipt_id: string
  readonly content_hash: Buffer
  readonly response: Buffer | null
}

async function readKnownSales(sql: Sql, keys: readonly NaturalKey[]): Promise<readonly KnownReceipt[]> {
  if (keys.length === 0) return []
  const rows = await sql.query<RawKnown>({
    name: 'ledger-read-known-sales',
    text: `SELECT k.position, r.receipt_id, r.content_hash, i.response
      FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::text[]) WITH ORDINALITY
        k (brand, store_id, till_id, business_day, number, position)
      CROSS JOIN LATERAL (SELECT * FROM receipt
        WHERE brand = k.brand AND store_id = k.store_id AND till_id = k.till_id AND business_day = k.business_day
          AND number = k.number AND kind = 'sale' AND month = date_trunc('month', k.business_day)::date LIMIT 1) r
      LEFT JOIN LATERAL (SELECT response FROM idempotency
        WHERE brand = r.brand AND key = r.idempotency_key LIMIT 1) i ON true`,
    values: [
      keys.map((key) => key.brand),
      keys.map((key) => key.storeId),
      keys.map((key) => key.tillId),
      plain(keys.map((key) => key.businessDay)),
      keys.map((key) => key.number),
    ],
  })
  return rows.flatMap((row) => knownReceipt(row, keys))
}

async function readKnownReturns(sql: Sql, keys: readonly NaturalKey[]): Promise<readonly KnownReceipt[]> {
  if (keys.length === 0) return []
  const rows = await sql.query<RawKnown>({
    name: 'ledger-read-known-returns',
    text: `SELECT k.position, r.receipt_id, r.content_hash, i.response
      FROM unnest($1::text[], $2::text[]) WITH ORDINALITY k (brand, number, position)
      CROSS JOIN LATERAL (SELECT * FROM receipt
        WHERE brand = k.brand AND number = k.number AND kind = 'return' LIMIT 1) r
      LEFT JOIN LATERAL (SELECT response FROM idempotency
        WHERE brand = r.brand AND key = r.idempotency_key LIMIT 1) i ON true`,
    values: [keys.map((key) => key.brand), keys.map((key) => key.number)],
  })
  return rows.flatMap((row) => knownReceipt(row, keys))
}

function knownReceipt(row: RawKnown, keys: readonly NaturalKey[]): readonly KnownReceipt[] {
  const natural = keys[Number(row.position) - 1]
  if (natural === undefined) return []
  return [{ natural, receiptId: row.receipt_id, contentHash: row.content_hash, response: row.response }]
}

/** Members of sales; a sale's never changes. */
export async function readSaleMembers(sql: Sql, ids: readonly BrandId[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await sql.query<{ receipt_id: string; member_id: string }>({
    name: 'ledger-read-sale-members',
    // The kind is looked at last: with it the index of natural keys would do, and its beginning be skipped through.
    text: `SELECT r.receipt_id, r.member_id FROM unnest($1::text[], $2::uuid[]) k (brand, receipt_id)
      CROSS JOIN LATERAL (SELECT * FROM receipt
        WHERE receipt_id = k.receipt_id AND brand = k.brand AND month = business_month(k.receipt_id) LIMIT 1) r
      WHERE r.kind = 'sale'`,
    values: [ids.map((id) => id.brand), plain(ids.map((id) => id.id))],
  })
  return new Map(rows.map((row) => [row.receipt_id, row.member_id]))
}

interface RawSale {
  readonly brand: string
  readonly receipt_id: string
  readonly member_id: string
  readonly store_id: string
  readonly till_id: string
  readonly programme_version: number
  readonly point_value_minor: bigint
  readonly lot_id: string | null
  readonly spend_lots: readonly string[]
  readonly spend_points: readonly bigint[]
  readonly reverse_lots: readonly string[]
  readonly reverse_points: readonly bigint[]
  readonly reverse_debt: bigint
  readonly reverse_pending: bigint
  readonly line_quantities: readonly bigint[]
  readonly line_amounts: readonly bigint[]
  readonly line_paid: readonly bigint[]
  readonly line_earned: readonly bigint[]
  readonly line_discounts: readonly bigint[]
  readonly line_returned: readonly bigint[]
  readonly line_skus: readonly string[]
  readonly line_categories: readonly string[]
}

/** How the points and discounts of a sale came about; empty for one of a programme without rules. */
export async function readExplanations(sql: Sql, { brand, id }: BrandId): Promise<Explained> {
  const rows = await sql.query<{ readonly explanations: Buffer | null }>({
    name: 'ledger-read-explanations',
    text: `SELECT explanations FROM receipt
      WHERE brand = $1 AND receipt_id = $2 AND month = business_month($2)`,
    values: [brand, id],
  })
  return decodeExplanations(rows[0]?.explanations ?? null)
}

/** Sales with their lines, for returns. */
export async function readSales(sql: Sql, ids: readonly BrandId[]): Promise<readonly StoredSale[]> {
  if (ids.length === 0) return []
  const values = [ids.map((id) => id.brand), plain(ids.map((id) => id.id))]
  const rows = await sql.query<RawSale>({
    name: 'ledger-read-sales',
    // The kind is looked at last: with it the index of natural keys would do, and its beginning be skipped through.
    text: `SELECT r.brand, r.receipt_id, r.member_id, r.store_id, r.till_id, r.programme_version, r.point_value_minor,
        r.lot_id, r.spend_lots::text[], r.spend_points, r.reverse_lots::text[], r.reverse_points, r.reverse_debt,
        r.reverse_pending, r.line_quantities, r.line_amounts, r.line_paid, r.line_earned, r.line_discounts, r.line_returned,
        r.line_skus,
        r.line_categories
      FROM (SELECT DISTINCT brand, receipt_id FROM unnest($1::text[], $2::uuid[]) n (brand, receipt_id)) k
      CROSS JOIN LATERAL (SELECT * FROM receipt
        WHERE receipt_id = k.receipt_id AND brand = k.brand AND month = business_month(k.receipt_id) LIMIT 1) r
      WHERE r.kind = 'sale'`,
    values,
  })
  return rows.map(storedSale)
}

function storedSale(row: RawSale): StoredSale {
  return {
    brand: row.brand,
    memberId: row.member_id,
    storeId: row.store_id,
    tillId: row.till_id,
    programmeVersion: row.programme_version,
    record: {
      receiptId: row.receipt_id,
      lines: row.line_skus.map((sku, index) => ({
        sku,
        quantity: row.line_quantities[index] ?? 0n,
        amountMinor: row.line_amounts[index] ?? 0n,
        category: row.line_categories[index] ?? '',
        paid: row.line_paid[index] ?? 0n,
        earned: row.line_earned[index] ?? 0n,
        discountMinor: row.line_discounts[index] ?? 0n,
        returned: row.line_returned[index] ?? 0n,
      })),
      pointValueMinor: row.point_value_minor,
      lotId: row.lot_id,
      spendDraws: drawsOf(row.spend_lots, row.spend_points),
      reverseDraws: drawsOf(row.reverse_lots, row.reverse_points),
      reverseDebt: row.reverse_debt,
      reversePending: row.reverse_pending,
    },
  }
}

/** Stores receipts with their lines; their months must be there. */
export async function insertReceipts(tx: Sql, receipts: readonly NewReceipt[], postedAtMs: number): Promise<void> {
  if (receipts.length === 0) return
  await tx.query({
    name: 'ledger-insert-receipts',
    text: `INSERT INTO receipt (brand, receipt_id, month, member_id, kind, store_id, till_id, business_day, number,
        occurred_at, programme_version, point_value_minor, total_minor, refund_minor, points_earned, points_spent,
        hold_id, original_receipt_id, content_hash, idempotency_key, lot_id, spend_lots, spend_points, explanations,
        line_indexes, line_quantities, line_amounts, line_paid, line_earned, line_returned, line_skus, line_categories,
        posted_at, line_discounts, points_short)
      SELECT n.brand, n.receipt_id, n.month, n.member_id, n.kind, n.store_id,
        n.till_id, n.business_day, n.number, n.occurred_at, n.programme_version, n.point_value_minor, n.total_minor,
        n.refund_minor, n.points_earned, n.points_spent, n.hold_id, n.original_receipt_id, n.content_hash,
        n.idempotency_key, n.lot_id, n.spend_lots::uuid[], n.spend_points::bigint[], n.explanations,
        n.line_indexes::integer[], n.line_quantities::bigint[], n.line_amounts::bigint[], n.line_paid::bigint[],
        n.line_earned::bigint[], n.line_returned::bigint[], n.line_skus::text[], n.line_categories::text[],
        $32::timestamptz, n.line_discounts::bigint[], n.points_short
      FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::date[], $8::text[],
        $9::timestamptz[], $10::integer[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[],
        $16::uuid[], $17::uuid[], $18::bytea[], $19::text[], $20::uuid[], $21::text[], $22::text[], $23::bytea[],
        $24::text[], $25::text[], $26::text[], $27::text[], $28::text[], $29::text[], $30::text[], $31::text[],
        $33::date[], $34::text[], $35::bigint[])
        n (brand, receipt_id, member_id, kind, store_id, till_id, business_day, number, occurred_at,
          programme_version, point_value_minor, total_minor, refund_minor, points_earned, points_spent, hold_id,
          original_receipt_id, content_hash, idempotency_key, lot_id, spend_lots, spend_points, explanations,
          line_indexes, line_quantities, line_amounts, line_paid, line_earned, line_returned, line_skus,
          line_categories, month, line_discounts, points_short)`,
    values: [
      ...headsOf(receipts),
      ...linesOf(receipts),
      new Date(postedAtMs),
      plain(receipts.map(({ natural }) => natural.month)),
      receipts.map(({ lines }) => numbers(lines.map(({ discountMinor }) => discountMinor))),
      numbers(receipts.map(({ short }) => short)),
    ],
  })
}

function headsOf(receipts: readonly NewReceipt[]): readonly unknown[] {
  return [
    receipts.map(({ natural }) => natural.brand),
    plain(receipts.map(({ receiptId }) => receiptId)),
    plain(receipts.map(({ memberId }) => memberId)),
    plain(receipts.map(({ natural }) => natural.kind)),
    receipts.map(({ natural }) => natural.storeId),
    receipts.map(({ natural }) => natural.tillId),
    plain(receipts.map(({ natural }) => natural.businessDay)),
    receipts.map(({ natural }) => natural.number),
    instants(receipts.map(({ occurredAtMs }) => occurredAtMs)),
    numbers(receipts.map(({ programmeVersion }) => programmeVersion)),
    numbers(receipts.map(({ pointValueMinor }) => pointValueMinor)),
    numbers(receipts.map(({ totalMinor }) => totalMinor)),
    numbers(receipts.map(({ refundMinor }) => refundMinor)),
    numbers(receipts.map(({ earned }) => earned)),
    numbers(receipts.map(({ spent }) => spent)),
    plain(receipts.map(({ holdId }) => holdId)),
    plain(receipts.map(({ originalReceiptId }) => originalReceiptId)),
    receipts.map(({ contentHash }) => contentHash),
    receipts.map(({ idempotencyKey }) => idempotencyKey),
    plain(receipts.map(({ lotId }) => lotId)),
    receipts.map(({ spendDraws }) => plain(spendDraws.map(({ lotId }) => lotId))),
    receipts.map(({ spendDraws }) => numbers(spendDraws.map(({ points }) => points))),
    receipts.map(({ explanations, discountSteps }) => encodeExplanations(explanations, discountSteps)),
  ]
}

/** Lines as array literals, one per receipt and column: a row of its own for each would be most of what a sale writes. */
function linesOf(receipts: readonly NewReceipt[]): readonly unknown[] {
  return [
    receipts.map(({ lines, returnLines }) =>
      numbers([...lines.keys(), ...returnLines.map(({ lineIndex }) => lineIndex)]),
    ),
    receipts.map(({ lines, returnLines }) => numbers([...lines, ...returnLines].map(({ quantity }) => quantity))),
    receipts.map(({ lines }) => numbers(lines.map(({ amountMinor }) => amountMinor))),
    receipts.map(({ lines }) => numbers(lines.map(({ paid }) => paid))),
    receipts.map(({ lines }) => numbers(lines.map(({ earned }) => earned))),
    receipts.map(({ lines }) => numbers(lines.map(({ returned }) => returned))),
    receipts.map(({ lines }) => texts(lines.map(({ sku }) => sku))),
    receipts.map(({ lines }) => texts(lines.map(({ category }) => category))),
  ]
}

/** Writes what returns have changed of their sales. */
export async function updateSales(tx: Sql, sales: readonly StoredSale[]): Promise<void> {
  if (sales.length === 0) return
  await tx.query({
    name: 'ledger-update-sales',
    text: `UPDATE receipt r SET reverse_lots = n.reverse_lots::uuid[], reverse_points = n.reverse_points::bigint[],
        reverse_debt = n.reverse_debt, reverse_pending = n.reverse_pending, line_returned = n.line_returned::bigint[]
      FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[])
        n (brand, receipt_id, reverse_lots, reverse_points, reverse_debt, reverse_pending, line_returned)
      WHERE r.brand = n.brand AND r.receipt_id = n.receipt_id AND r.month = business_month(n.receipt_id)`,
    values: [
      sales.map(({ brand }) => brand),
      plain(sales.map(({ record }) => record.receiptId)),
      sales.map(({ record }) => plain(record.reverseDraws.map(({ lotId }) => lotId))),
      sales.map(({ record }) => numbers(record.reverseDraws.map(({ points }) => points))),
      numbers(sales.map(({ record }) => record.reverseDebt)),
      numbers(sales.map(({ record }) => record.reversePending)),
      sales.map(({ record }) => numbers(record.lines.map(({ returned }) => returned))),
    ],
  })
}
