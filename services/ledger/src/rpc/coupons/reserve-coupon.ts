import { checkBigint, checkIdempotencyKey, checkInt } from '@stampede/platform'
import { ReserveCouponRequest, ReserveCouponResponse } from '@stampede/proto/coupons/v1'
import type { LedgerContext } from '../../context.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { changeBudgets } from '../../store/coupons/budget.ts'
import { lockCoupon, lockedShares, writeCoupon } from '../../store/coupons/coupons.ts'
import { fingerprint, POINTS_MAX } from '../checks.ts'
import { campaignOfCoupon, checkShown, checkUsable, couponMessage, findShown, scopeOf } from './usage.ts'

const TTL_SECONDS_MAX = 86_400
const TTL_SECONDS_DEFAULT = 900

/** Keeps a coupon for a basket. */
export async function reserveCoupon(
  context: LedgerContext,
  request: ReserveCouponRequest,
): Promise<ReserveCouponResponse> {
  const shown = checkShown(context, request)
  const { brand, code, use } = shown
  const key = checkIdempotencyKey(request.idempotencyKey)
  const moneyMinor = checkBigint(request.moneyMinor, 'money_minor', { min: 0n, max: POINTS_MAX })
  const asked = checkInt(request.ttlSeconds, 'ttl_seconds', { min: 0, max: TTL_SECONDS_MAX })
  const expiresAtMs = use.nowMs + (asked === 0 ? TTL_SECONDS_DEFAULT : asked) * 1_000
  const encoded = ReserveCouponRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('coupon.reserve', encoded), method: 'coupon.reserve' }
  const response = await answerOnce(context, once, async (tx) => {
    const coupon = await findShown(context, shown, () => lockCoupon(tx, brand, code))
    const campaign = await campaignOfCoupon(tx, brand, coupon.campaignId)
    await checkUsable(tx, coupon, campaign, use)
    const lock = { lockedBy: use.reference, lockedUntilMs: expiresAtMs, lockedMoneyMinor: moneyMinor }
    const scope = scopeOf(shown)
    const kept = await writeCoupon(tx, { ...coupon, ...lock, lockedScope: scope })
    const share = { brand, campaignId: coupon.campaignId, scope, moneyMinor }
    await changeBudgets(tx, lockedShares(coupon), { share, campaign })
    const answer = { coupon: couponMessage(kept, campaign, use.nowMs), expiresAt: new Date(expiresAtMs) }
    return { response: ReserveCouponResponse.encode(answer).finish(), causeId: coupon.couponId }
  })
  return ReserveCouponResponse.decode(response)
}
