import type { DiscountEffect } from '../discounts/effects.ts'
import { discountOf } from '../discounts/effects.ts'
import { type Goods, isOf, type SaleLine } from '../programme.ts'
import { sum } from '../shares.ts'

/** What the coupons of a campaign give, and when. */
export interface CouponCampaign {
  /** [a-z0-9-]{1,40}. */
  readonly campaignId: string
  readonly effect: DiscountEffect
  /** Undefined: all goods. */
  readonly goods: Goods | undefined
  /** Empty: all stores. */
  readonly stores: ReadonlySet<string>
  /** Baskets below this get nothing, minor units. */
  readonly leastReceiptMinor: bigint
  /** Half open, Unix milliseconds; infinite where there is no end. */
  readonly fromMs: number
  readonly untilMs: number
  /** Days of validity from the day of assignment; 0: to the campaign's end. */
  readonly validDays: number
  /** Uses of one code, at least 1. */
  readonly usesPerCode: bigint
  /** Uses by one member over all codes of the campaign; undefined: no limit. */
  readonly usesPerMember: bigint | undefined
  readonly budget: CouponBudget
  /** Who bears what it costs. */
  readonly funder: string
}

/** What a campaign may cost in all; undefined: no limit. */
export interface CouponBudget {
  readonly uses: bigint | undefined
  readonly moneyMinor: bigint | undefined
  /** Uses in one store on one day. */
  readonly storeDayUses: bigint | undefined
}

/** States that are stored; locked and expired are told by the clock. */
export type CouponState = 'generated' | 'assigned' | 'partly_redeemed' | 'redeemed' | 'voided'

/** A coupon. */
export interface Coupon {
  /** UUIDv7. */
  readonly couponId: string
  readonly campaignId: string
  /** Normalized. */
  readonly code: string
  /** Undefined: a bearer's. */
  readonly memberId: string | undefined
  readonly state: CouponState
  readonly uses: bigint
  /** First instant at which it is not valid, as far as the coupon itself says; infinite where it says nothing. */
  readonly validUntilMs: number
  /** Valid up to then in any case: a use was undone. Unix milliseconds, 0 for nothing of that. */
  readonly graceUntilMs: number
  /** Basket that has it reserved; empty for none. */
  readonly lockedBy: string
  readonly lockedUntilMs: number
}

/** Who wants to use a coupon, where and when. */
export interface CouponUse {
  /** Undefined: nobody known. */
  readonly memberId: string | undefined
  readonly storeId: string
  /** Basket or receipt. */
  readonly reference: string
  readonly nowMs: number
}

/** Why a coupon cannot be used. `invalid` says no more than that: whoever guesses codes learns nothing. */
export type CouponRefusal = 'invalid' | 'used' | 'reserved' | 'not_yet' | 'expired' | 'other_store'

/** Whether a coupon can be used; undefined when it can. */
export function refusalOf(coupon: Coupon, campaign: CouponCampaign, use: CouponUse): CouponRefusal | undefined {
  if (coupon.state === 'voided') return 'invalid'
  if (coupon.memberId !== undefined && coupon.memberId !== use.memberId) return 'invalid'
  if (coupon.uses >= campaign.usesPerCode) return 'used'
  if (use.nowMs < campaign.fromMs) return 'not_yet'
  if (use.nowMs >= endOf(coupon, campaign)) return 'expired'
  if (campaign.stores.size > 0 && !campaign.stores.has(use.storeId)) return 'other_store'
  const isReserved = coupon.lockedBy !== '' && coupon.lockedBy !== use.reference && coupon.lockedUntilMs > use.nowMs
  return isReserved ? 'reserved' : undefined
}

/** First instant at which a coupon is not valid. */
export function endOf(
  coupon: Pick<Coupon, 'validUntilMs' | 'graceUntilMs'>,
  campaign: Pick<CouponCampaign, 'untilMs'>,
): number {
  return Math.max(Math.min(coupon.validUntilMs, campaign.untilMs), coupon.graceUntilMs)
}

/** What a coupon takes off each line of a basket; zeros where the basket is too small or has none of the goods. */
export function couponDiscount(campaign: CouponCampaign, lines: readonly SaleLine[]): readonly bigint[] {
  const { goods, effect, leastReceiptMinor } = campaign
  if (sum(lines.map(({ amountMinor }) => amountMinor)) < leastReceiptMinor) return lines.map(() => 0n)
  const chosen = [...lines.keys()].filter((index) => {
    const line = lines[index]
    return line !== undefined && (goods === undefined || isOf(goods, line))
  })
  const parts = discountOf(
    effect,
    chosen.flatMap((index) => lines[index] ?? []),
  )
  return lines.map((_, index) => parts[chosen.indexOf(index)] ?? 0n)
}

/** State after so many uses. */
export function stateAfter(coupon: Pick<Coupon, 'memberId'>, uses: bigint, usesPerCode: bigint): CouponState {
  if (uses >= usesPerCode) return 'redeemed'
  if (uses > 0n) return 'partly_redeemed'
  return coupon.memberId === undefined ? 'generated' : 'assigned'
}
