import type { Sql } from '@stampede/platform'
import type { GiftCardPayment } from '../../domain/gift-cards/payments.ts'
import { numbers, plain } from '../columns.ts'
import type { BrandId } from '../keys.ts'

/** A payment with the sale that it is of. */
export interface StoredCardPayment {
  readonly brand: string
  readonly receiptId: string
  /** In the order of the request, from 0. */
  readonly position: number
  readonly payment: GiftCardPayment
}

interface RawPayment {
  readonly brand: string
  readonly receipt_id: string
  readonly position: number
  readonly card_id: string
  readonly amount_minor: bigint
  readonly line_parts: readonly bigint[]
  readonly returned_minor: bigint
  readonly tender: string
}

/** Payments of sales by gift cards, in their order. */
export async function readCardPayments(sql: Sql, receipts: readonly BrandId[]): Promise<readonly StoredCardPayment[]> {
  if (receipts.length === 0) return []
  const rows = await sql.query<RawPayment>({
    name: 'ledger-read-gift-card-payments',
    text: `SELECT p.* FROM (SELECT DISTINCT brand, receipt_id FROM unnest($1::text[], $2::uuid[]) n (brand, receipt_id)) k
      JOIN gift_card_payment p ON p.receipt_id = k.receipt_id AND p.brand = k.brand
      ORDER BY p.receipt_id, p.position`,
    values: [receipts.map(({ brand }) => brand), plain(receipts.map(({ id }) => id))],
  })
  return rows.map((row) => ({
    brand: row.brand,
    receiptId: row.receipt_id,
    position: row.position,
    payment: {
      cardId: row.card_id,
      amountMinor: row.amount_minor,
      lineParts: row.line_parts,
      returnedMinor: row.returned_minor,
      tender: row.tender,
    },
  }))
}

/** Stores new payments, and how much came back of others. */
export async function writeCardPayments(tx: Sql, payments: readonly StoredCardPayment[]): Promise<void> {
  if (payments.length === 0) return
  await tx.query({
    name: 'ledger-write-gift-card-payments',
    text: `INSERT INTO gift_card_payment (brand, receipt_id, position, card_id, amount_minor, line_parts, returned_minor,
        tender)
      SELECT n.brand, n.receipt_id, n.position, n.card_id, n.amount_minor, n.line_parts::bigint[], n.returned_minor, n.tender
      FROM unnest($1::text[], $2::uuid[], $3::integer[], $4::uuid[], $5::bigint[], $6::text[], $7::bigint[], $8::text[])
        n (brand, receipt_id, position, card_id, amount_minor, line_parts, returned_minor, tender)
      ON CONFLICT (receipt_id, brand, position) DO UPDATE SET returned_minor = excluded.returned_minor`,
    values: [
      payments.map(({ brand }) => brand),
      plain(payments.map(({ receiptId }) => receiptId)),
      numbers(payments.map(({ position }) => position)),
      plain(payments.map(({ payment }) => payment.cardId)),
      numbers(payments.map(({ payment }) => payment.amountMinor)),
      payments.map(({ payment }) => numbers(payment.lineParts)),
      numbers(payments.map(({ payment }) => payment.returnedMinor)),
      payments.map(({ payment }) => payment.tender),
    ],
  })
}
