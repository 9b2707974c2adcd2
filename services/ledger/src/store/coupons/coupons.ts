import type { Sql } from '@stampede/platform'
import type { Coupon, CouponState } from '../../domain/coupons/coupon.ts'
import { instantOf, plain } from '../columns.ts'
import type { BudgetShare } from './budget.ts'

/** A coupon as stored, with what its reservation took of the budget. */
export interface StoredCoupon extends Coupon {
  readonly brand: string
  readonly lockedMoneyMinor: bigint
  readonly lockedScope: string
  /** Grows with every change. */
  readonly version: bigint
}

/** What a coupon's reservation took of its budget; none for a coupon that is not reserved. */
export function lockedShares(coupon: StoredCoupon): readonly BudgetShare[] {
  const { brand, campaignId, lockedBy, lockedScope: scope, lockedMoneyMinor: moneyMinor } = coupon
  return lockedBy === '' ? [] : [{ brand, campaignId, scope, moneyMinor }]
}

/** A row of coupons. */
export interface RawCoupon {
  readonly brand: string
  readonly code: string
  readonly coupon_id: string
  readonly campaign_id: string
  readonly member_id: string | null
  readonly state: CouponState
  readonly uses: bigint
  readonly valid_until: Date | null
  readonly grace_until: Date | null
  readonly locked_by: string
  readonly locked_until: Date | null
  readonly locked_money_minor: bigint
  readonly locked_scope: string
  readonly version: bigint
}

/** The coupon of a normalized code; locked until the transaction ends. */
export async function lockCoupon(tx: Sql, brand: string, code: string): Promise<StoredCoupon | undefined> {
  const [row] = await tx.query<RawCoupon>({
    name: 'ledger-lock-coupon',
    text: 'SELECT * FROM coupon WHERE brand = $1 AND code = $2 FOR UPDATE',
    values: [brand, code],
  })
  return row === undefined ? undefined : couponFromRow(row)
}

/** The coupon by its id; locked until the transaction ends. */
export async function lockCouponById(tx: Sql, brand: string, couponId: string): Promise<StoredCoupon | undefined> {
  const [row] = await tx.query<RawCoupon>({
    name: 'ledger-lock-coupon-by-id',
    text: 'SELECT * FROM coupon WHERE coupon_id = $2 AND brand = $1 FOR UPDATE',
    values: [brand, couponId],
  })
  return row === undefined ? undefined : couponFromRow(row)
}

/** The coupon of a normalized code. */
export async function readCoupon(sql: Sql, brand: string, code: string): Promise<StoredCoupon | undefined> {
  const [row] = await sql.query<RawCoupon>({
    name: 'ledger-read-coupon',
    text: 'SELECT * FROM coupon WHERE brand = $1 AND code = $2',
    values: [brand, code],
  })
  return row === undefined ? undefined : couponFromRow(row)
}

/** Coupons of a member, newest first. */
export async function readMemberCoupons(
  sql: Sql,
  brand: string,
  memberId: string,
  limit: number,
): Promise<readonly StoredCoupon[]> {
  const rows = await sql.query<RawCoupon>({
    name: 'ledger-read-member-coupons',
    text: 'SELECT * FROM coupon WHERE member_id = $2 AND brand = $1 ORDER BY coupon_id DESC LIMIT $3',
    values: [brand, memberId, limit],
  })
  return rows.map(couponFromRow)
}

/** Stores new coupons; answers the first code that is taken, and stores none then is for the caller to see to. */
export async function insertCoupons(
  tx: Sql,
  coupons: readonly StoredCoupon[],
  now: Date,
): Promise<{ readonly taken: string | undefined }> {
  const rows = await tx.query<{ code: string }>({
    name: 'ledger-insert-coupons',
    text: `INSERT INTO coupon (brand, code, coupon_id, campaign_id, member_id, state, uses, valid_until, issued_at)
      SELECT n.brand, n.code, n.coupon_id, n.campaign_id, n.member_id, n.state, 0, n.valid_until, $8
      FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::timestamptz[])
        n (brand, code, coupon_id, campaign_id, member_id, state, valid_until)
      ORDER BY n.brand, n.code ON CONFLICT (brand, code) DO NOTHING RETURNING code`,
    values: [
      coupons.map(({ brand }) => brand),
      coupons.map(({ code }) => code),
      plain(coupons.map(({ couponId }) => couponId)),
      coupons.map(({ campaignId }) => campaignId),
      plain(coupons.map(({ memberId }) => memberId ?? null)),
      plain(coupons.map(({ state }) => state)),
      coupons.map(({ validUntilMs }) => (Number.isFinite(validUntilMs) ? new Date(validUntilMs) : null)),
      now,
    ],
  })
  const stored = new Set(rows.map(({ code }) => code))
  return { taken: coupons.find(({ code }) => !stored.has(code))?.code }
}

/** Writes a locked coupon as it is now; answers it with its new version. */
export async function writeCoupon(tx: Sql, coupon: StoredCoupon): Promise<StoredCoupon> {
  const isLocked = coupon.lockedBy !== ''
  await tx.query({
    name: 'ledger-write-coupon',
    text: `UPDATE coupon SET state = $3, uses = $4, grace_until = $5, locked_by = $6, locked_until = $7,
        locked_money_minor = $8, locked_scope = $9, version = version + 1
      WHERE brand = $1 AND code = $2`,
    values: [
      coupon.brand,
      coupon.code,
      coupon.state,
      coupon.uses,
      coupon.graceUntilMs === 0 ? null : new Date(coupon.graceUntilMs),
      coupon.lockedBy,
      isLocked ? new Date(coupon.lockedUntilMs) : null,
      coupon.lockedMoneyMinor,
      coupon.lockedScope,
    ],
  })
  return { ...coupon, version: coupon.version + 1n }
}

/** A use of a coupon. */
export interface CouponUseRow {
  readonly brand: string
  readonly couponId: string
  readonly reference: string
  readonly campaignId: string
  readonly memberId: string | undefined
  readonly storeId: string
  readonly moneyMinor: bigint
  /** Store and day of its budget. */
  readonly scope: string
}

/** Uses of a campaign's coupons by a member that were not undone. */
export async function countMemberUses(sql: Sql, brand: string, memberId: string, campaignId: string): Promise<bigint> {
  const [row] = await sql.query<{ uses: bigint }>({
    name: 'ledger-count-coupon-uses',
    text: `SELECT count(*) AS uses FROM coupon_use
      WHERE member_id = $2 AND campaign_id = $3 AND brand = $1 AND rolled_back_at IS NULL`,
    values: [brand, memberId, campaignId],
  })
  return row?.uses ?? 0n
}

/** Notes a use; false when the reference has used the coupon already. */
export async function insertUse(tx: Sql, use: CouponUseRow, now: Date): Promise<boolean> {
  const rows = await tx.query({
    name: 'ledger-insert-coupon-use',
    text: `INSERT INTO coupon_use (brand, coupon_id, reference, campaign_id, member_id, store_id, money_minor, scope, used_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
      ON CONFLICT (coupon_id, brand, reference) DO UPDATE SET rolled_back_at = NULL, money_minor = excluded.money_minor,
        store_id = excluded.store_id, scope = excluded.scope, used_at = excluded.used_at
      WHERE coupon_use.rolled_back_at IS NOT NULL
      RETURNING 1`,
    values: [
      use.brand,
      use.couponId,
      use.reference,
      use.campaignId,
      use.memberId ?? null,
      use.storeId,
      use.moneyMinor,
      use.scope,
      now,
    ],
  })
  return rows.length > 0
}

/** Undoes a use; undefined when there is none by that reference. */
export async function undoUse(
  tx: Sql,
  { brand, couponId }: Pick<StoredCoupon, 'brand' | 'couponId'>,
  reference: string,
  now: Date,
): Promise<{ readonly moneyMinor: bigint; readonly scope: string } | undefined> {
  const [row] = await tx.query<{ money_minor: bigint; scope: string }>({
    name: 'ledger-undo-coupon-use',
    text: `UPDATE coupon_use SET rolled_back_at = $4
      WHERE coupon_id = $2 AND brand = $1 AND reference = $3 AND rolled_back_at IS NULL
      RETURNING money_minor, scope`,
    values: [brand, couponId, reference, now],
  })
  return row === undefined ? undefined : { moneyMinor: row.money_minor, scope: row.scope }
}

/** A row as the domain knows it. */
export function couponFromRow(row: RawCoupon): StoredCoupon {
  return {
    brand: row.brand,
    couponId: row.coupon_id,
    campaignId: row.campaign_id,
    code: row.code,
    memberId: row.member_id ?? undefined,
    state: row.state,
    uses: row.uses,
    validUntilMs: instantOf(row.valid_until),
    graceUntilMs: row.grace_until?.getTime() ?? 0,
    lockedBy: row.locked_by,
    lockedUntilMs: row.locked_until?.getTime() ?? 0,
    lockedMoneyMinor: row.locked_money_minor,
    lockedScope: row.locked_scope,
    version: row.version,
  }
}

/** Discount that a coupon has given, minor units; uses that were undone are not counted. */
export async function readUsedMoney(sql: Sql, brand: string, couponId: string): Promise<bigint> {
  const [row] = await sql.query<{ money_minor: bigint | null }>({
    name: 'ledger-read-coupon-money',
    text: `SELECT sum(money_minor)::bigint AS money_minor FROM coupon_use
      WHERE coupon_id = $2 AND brand = $1 AND rolled_back_at IS NULL`,
    values: [brand, couponId],
  })
  return row?.money_minor ?? 0n
}
