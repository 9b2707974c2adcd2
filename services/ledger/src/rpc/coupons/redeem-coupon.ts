import { checkBigint, checkIdempotencyKey, StampedeError } from '@stampede/platform'
import { RedeemCouponRequest, RedeemCouponResponse } from '@stampede/proto/coupons/v1'
import type { LedgerContext } from '../../context.ts'
import { stateAfter } from '../../domain/coupons/coupon.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { changeBudgets } from '../../store/coupons/budget.ts'
import { insertUse, lockCoupon, lockedShares, writeCoupon } from '../../store/coupons/coupons.ts'
import { fingerprint, POINTS_MAX } from '../checks.ts'
import { campaignOfCoupon, checkShown, checkUsable, couponMessage, findShown, scopeOf, tellCoupons } from './usage.ts'

/** Uses a coupon. */
export async function redeemCoupon(
  context: LedgerContext,
  request: RedeemCouponRequest,
): Promise<RedeemCouponResponse> {
  const shown = checkShown(context, request)
  const { brand, code, use } = shown
  const key = checkIdempotencyKey(request.idempotencyKey)
  const moneyMinor = checkBigint(request.moneyMinor, 'money_minor', { min: 0n, max: POINTS_MAX })
  const encoded = RedeemCouponRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('coupon.redeem', encoded), method: 'coupon.redeem' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const coupon = await findShown(context, shown, () => lockCoupon(tx, brand, code))
    const campaign = await campaignOfCoupon(tx, brand, coupon.campaignId)
    const { couponId, campaignId } = coupon
    await checkUsable(tx, coupon, campaign, use)
    const { memberId, storeId, reference } = use
    const scope = scopeOf(shown)
    if (!(await insertUse(tx, { brand, couponId, reference, campaignId, memberId, storeId, moneyMinor, scope }, now))) {
      throw new StampedeError('COUPON_USED', 'this reference has used the coupon before', { field: 'reference' })
    }
    const uses = coupon.uses + 1n
    const state = stateAfter(coupon, uses, campaign.usesPerCode)
    const unlocked = { lockedBy: '', lockedUntilMs: 0, lockedMoneyMinor: 0n, lockedScope: '' }
    const used = await writeCoupon(tx, { ...coupon, ...unlocked, uses, state })
    await tellCoupons(tx, [used], campaign, now)
    await changeBudgets(tx, lockedShares(coupon), { share: { brand, campaignId, scope, moneyMinor }, campaign })
    const answer = { coupon: couponMessage(used, campaign, use.nowMs) }
    return { response: RedeemCouponResponse.encode(answer).finish(), causeId: couponId }
  })
  return RedeemCouponResponse.decode(response)
}
