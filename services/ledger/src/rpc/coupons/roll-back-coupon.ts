import { checkIdempotencyKey, checkInt, failedPrecondition } from '@stampede/platform'
import { RollBackCouponRequest, RollBackCouponResponse } from '@stampede/proto/coupons/v1'
import type { LedgerContext } from '../../context.ts'
import { endOfLife } from '../../domain/calendar.ts'
import { stateAfter } from '../../domain/coupons/coupon.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { changeBudgets } from '../../store/coupons/budget.ts'
import { lockCoupon, undoUse, writeCoupon } from '../../store/coupons/coupons.ts'
import { fingerprint } from '../checks.ts'
import { campaignOfCoupon, checkShown, couponMessage, findShown, tellCoupons } from './usage.ts'

const VALID_DAYS_MAX = 365
const VALID_DAYS_DEFAULT = 14

/** Undoes a use of a coupon. */
export async function rollBackCoupon(
  context: LedgerContext,
  request: RollBackCouponRequest,
): Promise<RollBackCouponResponse> {
  const shown = checkShown(context, { ...request, memberId: '', storeId: '' })
  const { brand, timeZone, code, use } = shown
  const key = checkIdempotencyKey(request.idempotencyKey)
  const asked = checkInt(request.validDays, 'valid_days', { min: 0, max: VALID_DAYS_MAX })
  const leastEndMs = endOfLife(use.nowMs, asked === 0 ? VALID_DAYS_DEFAULT : asked, timeZone)
  const encoded = RollBackCouponRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('coupon.rollback', encoded), method: 'coupon.rollback' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const coupon = await findShown(context, shown, () => lockCoupon(tx, brand, code))
    const campaign = await campaignOfCoupon(tx, brand, coupon.campaignId)
    const undone = await undoUse(tx, coupon, use.reference, now)
    if (undone === undefined) throw failedPrecondition('this reference has not used the coupon')
    const uses = coupon.uses - 1n
    const state = stateAfter(coupon, uses, campaign.usesPerCode)
    const restored = await writeCoupon(tx, {
      ...coupon,
      uses,
      state,
      graceUntilMs: Math.max(coupon.graceUntilMs, leastEndMs),
    })
    await tellCoupons(tx, [restored], campaign, now)
    await changeBudgets(tx, [{ brand, campaignId: coupon.campaignId, ...undone }])
    const answer = { coupon: couponMessage(restored, campaign, use.nowMs) }
    return { response: RollBackCouponResponse.encode(answer).finish(), causeId: coupon.couponId }
  })
  return RollBackCouponResponse.decode(response)
}
