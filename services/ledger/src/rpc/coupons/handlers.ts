import type { Handlers } from '@stampede/platform'
import type { CouponServiceService } from '@stampede/proto/coupons/v1'
import type { LedgerContext } from '../../context.ts'
import { checkCoupon } from './check-coupon.ts'
import { getCampaign } from './get-campaign.ts'
import { issueCoupons } from './issue-coupons.ts'
import { listMemberCoupons } from './list-member-coupons.ts'
import { putCampaign } from './put-campaign.ts'
import { redeemCoupon } from './redeem-coupon.ts'
import { releaseCoupon } from './release-coupon.ts'
import { reserveCoupon } from './reserve-coupon.ts'
import { rollBackCoupon } from './roll-back-coupon.ts'
import { voidCoupon } from './void-coupon.ts'

/** All methods about coupons over one context. */
export function couponHandlers(context: LedgerContext): Handlers<typeof CouponServiceService> {
  return {
    putCouponCampaign: (request) => putCampaign(context, request),
    getCouponCampaign: (request) => getCampaign(context, request),
    issueCoupons: (request) => issueCoupons(context, request),
    checkCoupon: (request) => checkCoupon(context, request),
    reserveCoupon: (request) => reserveCoupon(context, request),
    releaseCoupon: (request) => releaseCoupon(context, request),
    redeemCoupon: (request) => redeemCoupon(context, request),
    rollBackCoupon: (request) => rollBackCoupon(context, request),
    voidCoupon: (request) => voidCoupon(context, request),
    listMemberCoupons: (request) => listMemberCoupons(context, request),
  }
}
