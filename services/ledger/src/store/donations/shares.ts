import type { Sql } from '@stampede/platform'
import { numbers, plain } from '../columns.ts'
import type { BrandId } from '../keys.ts'

/** What of a sale a fund gets from the brand. */
export interface SaleShare {
  readonly brand: string
  readonly receiptId: string
  readonly fundId: string
  readonly basisPoints: bigint
  /** What is booked, minor units. */
  readonly bookedMinor: bigint
}

/** Makes the rows of sales that are heard of for the first time. */
export async function ensureShares(tx: Sql, shares: readonly Omit<SaleShare, 'bookedMinor'>[]): Promise<void> {
  if (shares.length === 0) return
  await tx.query({
    name: 'ledger-ensure-donation-shares',
    text: `INSERT INTO donation_share (brand, receipt_id, fund_id, basis_points, booked_minor)
      SELECT brand, receipt_id, fund_id, basis_points, 0
      FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[]) n (brand, receipt_id, fund_id, basis_points)
      ORDER BY receipt_id ON CONFLICT (receipt_id, brand) DO NOTHING`,
    values: [
      shares.map(({ brand }) => brand),
      plain(shares.map(({ receiptId }) => receiptId)),
      shares.map(({ fundId }) => fundId),
      numbers(shares.map(({ basisPoints }) => basisPoints)),
    ],
  })
}

/** The shares of sales, locked in the order of their ids; sales without one are left out. */
export async function lockShares(tx: Sql, sales: readonly BrandId[]): Promise<readonly SaleShare[]> {
  const rows = await tx.query<{
    brand: string
    receipt_id: string
    fund_id: string
    basis_points: bigint
    booked_minor: bigint
  }>({
    name: 'ledger-lock-donation-shares',
    text: `SELECT s.* FROM donation_share s
      WHERE (s.receipt_id, s.brand) IN (SELECT receipt_id, brand FROM unnest($1::text[], $2::uuid[]) k (brand, receipt_id))
      ORDER BY s.receipt_id FOR UPDATE`,
    values: [sales.map(({ brand }) => brand), plain(sales.map(({ id }) => id))],
  })
  return rows.map((row) => ({
    brand: row.brand,
    receiptId: row.receipt_id,
    fundId: row.fund_id,
    basisPoints: row.basis_points,
    bookedMinor: row.booked_minor,
  }))
}

/** Notes what is booked of locked shares. */
export async function writeShares(tx: Sql, shares: readonly SaleShare[]): Promise<void> {
  if (shares.length === 0) return
  await tx.query({
    name: 'ledger-write-donation-shares',
    text: `UPDATE donation_share s SET booked_minor = n.booked_minor
      FROM unnest($1::text[], $2::uuid[], $3::bigint[]) n (brand, receipt_id, booked_minor)
      WHERE s.receipt_id = n.receipt_id AND s.brand = n.brand`,
    values: [
      shares.map(({ brand }) => brand),
      plain(shares.map(({ receiptId }) => receiptId)),
      numbers(shares.map(({ bookedMinor }) => bookedMinor)),
    ],
  })
}
