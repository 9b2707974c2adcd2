import type { Sql } from '@stampede/platform'
import { CouponCampaign as CampaignMessage } from '@stampede/proto/coupons/v1'
import { instants, numbers, plain } from '../columns.ts'
import type { BrandId } from '../keys.ts'
import { type CouponUseRow, couponFromRow, type RawCoupon, type StoredCoupon } from './coupons.ts'

/** A code of a brand. */
export interface CodeKey {
  readonly brand: string
  /** Normalized. */
  readonly code: string
}

/** Coupons by code, locked in one order until the transaction ends. */
export async function lockCoupons(tx: Sql, keys: readonly CodeKey[]): Promise<readonly StoredCoupon[]> {
  if (keys.length === 0) return []
  const rows = await tx.query<RawCoupon>({
    name: 'ledger-lock-coupons',
    text: `SELECT c.* FROM coupon c
      WHERE (c.brand, c.code) IN (SELECT brand, code FROM unnest($1::text[], $2::text[]) k (brand, code))
      ORDER BY c.brand, c.code FOR UPDATE`,
    values: [keys.map(({ brand }) => brand), keys.map(({ code }) => code)],
  })
  return rows.map(couponFromRow)
}

/** A use of a coupon by a receipt. */
export interface ReceiptUse extends CodeKey {
  readonly receiptId: string
  /** Empty: nobody known. */
  readonly memberId: string
  readonly moneyMinor: bigint
  readonly scope: string
}

/** Uses of coupons by receipts that were not undone. */
export async function readUsesOf(sql: Sql, receipts: readonly BrandId[]): Promise<readonly ReceiptUse[]> {
  if (receipts.length === 0) return []
  const rows = await sql.query<{
    brand: string
    code: string
    reference: string
    member_id: string | null
    money_minor: bigint
    scope: string
  }>({
    name: 'ledger-read-coupon-uses',
    text: `SELECT u.brand, c.code, u.reference, u.member_id, u.money_minor, u.scope
      FROM unnest($1::text[], $2::text[]) k (brand, reference)
      JOIN coupon_use u ON u.reference = k.reference AND u.brand = k.brand AND u.rolled_back_at IS NULL
      JOIN coupon c ON c.coupon_id = u.coupon_id AND c.brand = u.brand`,
    values: [receipts.map(({ brand }) => brand), receipts.map(({ id }) => id)],
  })
  return rows.map(({ brand, code, reference, member_id, money_minor: moneyMinor, scope }) => {
    return { brand, code, receiptId: reference, memberId: member_id ?? '', moneyMinor, scope }
  })
}

/** Campaigns in force; those nobody published are left out. */
export async function readCampaigns(
  sql: Sql,
  keys: readonly { readonly brand: string; readonly campaignId: string }[],
): Promise<readonly { readonly brand: string; readonly message: CampaignMessage }[]> {
  if (keys.length === 0) return []
  const rows = await sql.query<{ brand: string; message: Buffer }>({
    name: 'ledger-read-coupon-campaigns',
    text: `SELECT k.brand, c.message
      FROM (SELECT DISTINCT brand, campaign_id FROM unnest($1::text[], $2::text[]) n (brand, campaign_id)) k
      CROSS JOIN LATERAL (SELECT message FROM coupon_campaign
        WHERE brand = k.brand AND campaign_id = k.campaign_id ORDER BY version DESC LIMIT 1) c`,
    values: [keys.map(({ brand }) => brand), keys.map(({ campaignId }) => campaignId)],
  })
  return rows.map(({ brand, message }) => ({ brand, message: CampaignMessage.decode(message) }))
}

/** Writes locked coupons as they are now. */
export async function writeCoupons(tx: Sql, coupons: readonly StoredCoupon[]): Promise<void> {
  if (coupons.length === 0) return
  await tx.query({
    name: 'ledger-write-coupons',
    text: `UPDATE coupon c SET state = n.state, uses = n.uses, grace_until = n.grace_until, locked_by = n.locked_by,
        locked_until = n.locked_until, locked_money_minor = n.locked_money, locked_scope = n.locked_scope,
        version = n.version
      FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::text[], $7::timestamptz[],
        $8::bigint[], $9::text[], $10::bigint[])
        n (brand, code, state, uses, grace_until, locked_by, locked_until, locked_money, locked_scope, version)
      WHERE c.brand = n.brand AND c.code = n.code`,
    values: [
      coupons.map(({ brand }) => brand),
      coupons.map(({ code }) => code),
      plain(coupons.map(({ state }) => state)),
      numbers(coupons.map(({ uses }) => uses)),
      instants(coupons.map(({ graceUntilMs }) => (graceUntilMs === 0 ? Number.POSITIVE_INFINITY : graceUntilMs))),
      coupons.map(({ lockedBy }) => lockedBy),
      instants(
        coupons.map(({ lockedBy, lockedUntilMs }) => (lockedBy === '' ? Number.POSITIVE_INFINITY : lockedUntilMs)),
      ),
      numbers(coupons.map(({ lockedMoneyMinor }) => lockedMoneyMinor)),
      coupons.map(({ lockedScope }) => lockedScope),
      numbers(coupons.map(({ version }) => version)),
    ],
  })
}

/** Notes uses by receipts; a use of the same receipt fails the transaction. */
export async function insertUses(tx: Sql, uses: readonly CouponUseRow[], now: Date): Promise<void> {
  if (uses.length === 0) return
  await tx.query({
    name: 'ledger-insert-coupon-uses',
    text: `INSERT INTO coupon_use (brand, coupon_id, reference, campaign_id, member_id, store_id, money_minor, scope, used_at)
      SELECT n.*, $9::timestamptz FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::text[],
        $7::bigint[], $8::text[]) n`,
    values: [
      uses.map(({ brand }) => brand),
      plain(uses.map(({ couponId }) => couponId)),
      uses.map(({ reference }) => reference),
      uses.map(({ campaignId }) => campaignId),
      plain(uses.map(({ memberId }) => memberId ?? null)),
      uses.map(({ storeId }) => storeId),
      numbers(uses.map(({ moneyMinor }) => moneyMinor)),
      uses.map(({ scope }) => scope),
      now,
    ],
  })
}

/** Undoes uses by receipts. */
export async function undoUses(
  tx: Sql,
  uses: readonly { readonly brand: string; readonly couponId: string; readonly reference: string }[],
  now: Date,
): Promise<void> {
  if (uses.length === 0) return
  await tx.query({
    name: 'ledger-undo-coupon-uses',
    text: `UPDATE coupon_use u SET rolled_back_at = $4
      FROM unnest($1::text[], $2::uuid[], $3::text[]) n (brand, coupon_id, reference)
      WHERE u.coupon_id = n.coupon_id AND u.brand = n.brand AND u.reference = n.reference`,
    values: [
      uses.map(({ brand }) => brand),
      plain(uses.map(({ couponId }) => couponId)),
      uses.map(({ reference }) => reference),
      now,
    ],
  })
}
