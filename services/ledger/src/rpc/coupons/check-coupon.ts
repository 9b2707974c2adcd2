import type { CheckCouponRequest, CheckCouponResponse } from '@stampede/proto/coupons/v1'
import type { LedgerContext } from '../../context.ts'
import { couponDiscount } from '../../domain/coupons/coupon.ts'
import { readCoupon } from '../../store/coupons/coupons.ts'
import { checkLines } from '../checks.ts'
import { campaignOfCoupon, checkShown, couponMessage, findShown } from './usage.ts'

const CHECK_LINES_MAX = 500

/** A coupon by its code, and what it takes off a basket. */
export async function checkCoupon(context: LedgerContext, request: CheckCouponRequest): Promise<CheckCouponResponse> {
  const shown = checkShown(context, request)
  const lines = request.lines.length === 0 ? [] : checkLines(request.lines, 'lines', CHECK_LINES_MAX)
  const coupon = await findShown(context, shown, () => readCoupon(context.database, shown.brand, shown.code))
  const campaign = await campaignOfCoupon(context.database, shown.brand, coupon.campaignId)
  return {
    coupon: couponMessage(coupon, campaign, shown.use.nowMs),
    discountsMinor: [...couponDiscount(campaign, lines)],
  }
}
