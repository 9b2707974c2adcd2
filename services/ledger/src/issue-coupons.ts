import { randomBytes } from 'node:crypto'
import { type BrandInfo, type Sql, uuidv7, writeOutbox } from '@stampede/platform'
import { endOfLife } from './domain/calendar.ts'
import { CODE_RANDOM_CHARACTERS, codeOf } from './domain/coupons/codes.ts'
import type { CouponCampaign } from './domain/coupons/coupon.ts'
import { couponEvents } from './events.ts'
import { changeBudgets } from './store/coupons/budget.ts'
import { insertCoupons, lockedShares, type StoredCoupon, writeCoupon } from './store/coupons/coupons.ts'

/** A new random code. */
export function randomCode(): string {
  return codeOf(randomBytes(CODE_RANDOM_CHARACTERS))
}

/** A coupon of a code that was not used yet. */
export function newCoupon(
  { campaignId, validDays }: CouponCampaign,
  code: string,
  { brand, memberId, now }: { readonly brand: BrandInfo; readonly memberId: string | undefined; readonly now: Date },
): StoredCoupon {
  const validUntilMs = validDays === 0 ? Number.POSITIVE_INFINITY : endOfLife(now.getTime(), validDays, brand.timeZone)
  const state = memberId === undefined ? 'generated' : 'assigned'
  const lock = { lockedBy: '', lockedUntilMs: 0, lockedMoneyMinor: 0n, lockedScope: '' }
  const identity = { brand: brand.brand, code, couponId: uuidv7(), campaignId, memberId }
  return { ...identity, state, uses: 0n, validUntilMs, graceUntilMs: 0, ...lock, version: 1n }
}

/** Makes a coupon of each code, for a member or its bearer, and tells of it; answers the first code that is taken. */
export async function issueCodes(
  tx: Sql,
  campaign: CouponCampaign,
  codes: readonly string[],
  owner: { readonly brand: BrandInfo; readonly memberId: string | undefined; readonly now: Date },
): Promise<{ readonly coupons: readonly StoredCoupon[]; readonly taken: string | undefined }> {
  const coupons = codes.map((code) => newCoupon(campaign, code, owner))
  const { taken } = await insertCoupons(tx, coupons, owner.now)
  if (taken === undefined) await writeOutbox(tx, couponEvents(coupons, campaign, owner.now))
  return { coupons, taken }
}

/** Makes a locked coupon worthless and tells of it; a reservation gives its budget back. */
export async function voidLocked(
  tx: Sql,
  coupon: StoredCoupon,
  campaign: CouponCampaign,
  now: Date,
): Promise<StoredCoupon> {
  const unlocked = { lockedBy: '', lockedUntilMs: 0, lockedMoneyMinor: 0n, lockedScope: '' }
  const voided = await writeCoupon(tx, { ...coupon, ...unlocked, state: 'voided' })
  await writeOutbox(tx, couponEvents([voided], campaign, now))
  await changeBudgets(tx, lockedShares(coupon))
  return voided
}
