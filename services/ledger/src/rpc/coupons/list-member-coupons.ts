import { checkUuid } from '@stampede/platform'
import type { ListMemberCouponsRequest, ListMemberCouponsResponse } from '@stampede/proto/coupons/v1'
import type { LedgerContext } from '../../context.ts'
import { readMemberCoupons } from '../../store/coupons/coupons.ts'
import { brandOf } from '../checks.ts'
import { campaignOfCoupon, couponMessage } from './usage.ts'

const COUPONS_MAX = 500

/** Coupons of a member, newest first. */
export async function listMemberCoupons(
  context: LedgerContext,
  request: ListMemberCouponsRequest,
): Promise<ListMemberCouponsResponse> {
  const { brand } = brandOf(context, request.brand)
  const memberId = checkUuid(request.memberId, 'member_id')
  const coupons = await readMemberCoupons(context.database, brand, memberId, COUPONS_MAX)
  const ids = [...new Set(coupons.map(({ campaignId }) => campaignId))]
  const campaigns = await Promise.all(ids.map((id) => campaignOfCoupon(context.database, brand, id)))
  const nowMs = context.clock.nowMs()
  return {
    coupons: coupons.flatMap((coupon) => {
      const campaign = campaigns[ids.indexOf(coupon.campaignId)]
      return campaign === undefined ? [] : [couponMessage(coupon, campaign, nowMs)]
    }),
  }
}
