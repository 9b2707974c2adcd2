import { checkIdempotencyKey, failedPrecondition } from '@stampede/platform'
import { ReleaseCouponRequest, ReleaseCouponResponse } from '@stampede/proto/coupons/v1'
import type { LedgerContext } from '../../context.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { changeBudgets } from '../../store/coupons/budget.ts'
import { lockCoupon, lockedShares, writeCoupon } from '../../store/coupons/coupons.ts'
import { fingerprint } from '../checks.ts'
import { campaignOfCoupon, checkShown, couponMessage, findShown } from './usage.ts'

/** Gives a reservation up. */
export async function releaseCoupon(
  context: LedgerContext,
  request: ReleaseCouponRequest,
): Promise<ReleaseCouponResponse> {
  const shown = checkShown(context, { ...request, memberId: '', storeId: '' })
  const { brand, code, use } = shown
  const key = checkIdempotencyKey(request.idempotencyKey)
  const encoded = ReleaseCouponRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('coupon.release', encoded), method: 'coupon.release' }
  const response = await answerOnce(context, once, async (tx) => {
    const coupon = await findShown(context, shown, () => lockCoupon(tx, brand, code))
    const campaign = await campaignOfCoupon(tx, brand, coupon.campaignId)
    if (coupon.lockedBy !== use.reference) throw failedPrecondition('the coupon is not reserved by this reference')
    const unlocked = { lockedBy: '', lockedUntilMs: 0, lockedMoneyMinor: 0n, lockedScope: '' }
    const released = await writeCoupon(tx, { ...coupon, ...unlocked })
    await changeBudgets(tx, lockedShares(coupon))
    const answer = { coupon: couponMessage(released, campaign, use.nowMs) }
    return { response: ReleaseCouponResponse.encode(answer).finish(), causeId: coupon.couponId }
  })
  return ReleaseCouponResponse.decode(response)
}
