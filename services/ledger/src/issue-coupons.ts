import { randomBytes } from 'node:crypto'
import { type BrandInfo, type Sql, uuidv7, writeOutbox } from '@stampede/platform'
import { endOfLife } from './domain/calendar.ts'
import { CODE_RANDOM_CHARACTERS, codeOf } from './domain/coupons/codes.ts'
import type { CouponCampaign } from './domain/coupons/coupon.ts'
import { couponEvents } from './events.ts'
import { giveBudgetBack } from './store/coupons/budget.ts'
import { insertCoupons, type StoredCoupon, writeCoupon } from './store/coupons/coupons.ts'

/** A new random code. */
export function randomCode(): string {
  return codeOf(randomBytes(CODE_RANDOM_CHARACTERS))
}

/** Makes a coupon of each code, for a member or its bearer, and tells of it; answers the first code that is taken. */
export async function issueCodes(
  tx: Sql,
  campaign: CouponCampaign,
  codes: readonly string[],
  { brand, memberId, now }: { readonly brand: BrandInfo; readonly memberId: string | undefined; readonly now: Date },
): Promise<{ readonly coupons: readonly StoredCoupon[]; readonly taken: string | undefined }> {
  const { campaignId, validDays } = campaign
  const validUntilMs = validDays === 0 ? Number.POSITIVE_INFINITY : endOfLife(now.getTime(), validDays, brand.timeZone)
  const coupons = codes.map((code): StoredCoupon => {
    const state = memberId === undefined ? 'generated' : 'assigned'
    const lock = { lockedBy: '', lockedUntilMs: 0, lockedMoneyMinor: 0n, lockedScope: '' }
    const identity = { brand: brand.brand, code, couponId: uuidv7(), campaignId, memberId }
    return { ...identity, state, uses: 0n, validUntilMs, graceUntilMs: 0, ...lock, version: 1n }
  })
  const { taken } = await insertCoupons(tx, coupons, now)
  if (taken === undefined) await writeOutbox(tx, couponEvents(coupons, campaign, now))
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
  if (coupon.lockedBy === '') return voided
  const share = { brand: coupon.brand, moneyMinor: coupon.lockedMoneyMinor, scope: coupon.lockedScope }
  await giveBudgetBack(tx, coupon.campaignId, share)
  return voided
}
