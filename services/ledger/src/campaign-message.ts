import type { CouponCampaign as CampaignMessage } from '@stampede/proto/coupons/v1'
import { effectOf, goodsOf, limitOf } from './discount-message.ts'
import type { CouponCampaign } from './domain/coupons/coupon.ts'

/** A checked message as the domain knows it. */
export function campaignOf(message: CampaignMessage): CouponCampaign {
  return {
    campaignId: message.campaignId,
    effect: effectOf(message.effect),
    goods: message.goods === undefined ? undefined : goodsOf(message.goods),
    stores: new Set(message.stores),
    leastReceiptMinor: message.leastReceiptMinor,
    fromMs: message.from?.getTime() ?? Number.NEGATIVE_INFINITY,
    untilMs: message.until?.getTime() ?? Number.POSITIVE_INFINITY,
    validDays: message.validDays,
    usesPerCode: message.usesPerCode,
    usesPerMember: limitOf(message.usesPerMember),
    budget: {
      uses: limitOf(message.budgetUses),
      moneyMinor: limitOf(message.budgetMoneyMinor),
      storeDayUses: limitOf(message.budgetStoreDayUses),
    },
    funder: message.funder,
  }
}
