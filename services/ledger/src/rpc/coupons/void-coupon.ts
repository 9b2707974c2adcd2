import { checkIdempotencyKey, checkUuid, notFound } from '@stampede/platform'
import { VoidCouponRequest, VoidCouponResponse } from '@stampede/proto/coupons/v1'
import type { LedgerContext } from '../../context.ts'
import { voidLocked } from '../../issue-coupons.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { lockCouponById } from '../../store/coupons/coupons.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { campaignOfCoupon, couponMessage } from './usage.ts'

/** Makes a coupon worthless. */
export async function voidCoupon(context: LedgerContext, request: VoidCouponRequest): Promise<VoidCouponResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const couponId = checkUuid(request.couponId, 'coupon_id')
  const encoded = VoidCouponRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('coupon.void', encoded), method: 'coupon.void' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const coupon = await lockCouponById(tx, brand, couponId)
    if (coupon === undefined) throw notFound()
    const campaign = await campaignOfCoupon(tx, brand, coupon.campaignId)
    const voided = await voidLocked(tx, coupon, campaign, now)
    const answer = { coupon: couponMessage(voided, campaign, now.getTime()) }
    return { response: VoidCouponResponse.encode(answer).finish(), causeId: couponId }
  })
  return VoidCouponResponse.decode(response)
}
