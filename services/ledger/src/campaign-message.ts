import type { CouponCampaign as CampaignMessage, DiscountEffect as EffectMessage } from '@stampede/proto/coupons/v1'
import type { CouponCampaign } from './domain/coupons/coupon.ts'
import type { DiscountEffect } from './domain/discounts/effects.ts'
import { goodsOf, limitOf } from './programme-message.ts'

const SETS_DEFAULT = 1_000
const FREE = 10_000n

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

/** A checked effect as the domain knows it. */
export function effectOf(message: EffectMessage | undefined): DiscountEffect {
  const effect = message?.effect
  switch (effect?.$case) {
    case 'percentBasisPoints':
      return { kind: 'percent', basisPoints: BigInt(effect.value) }
    case 'amountMinor':
      return { kind: 'amount', minor: effect.value }
    case 'freePieces':
      return { kind: 'free', pieces: BigInt(effect.value) }
    case 'priceMinor':
      return { kind: 'price', minor: effect.value }
    case 'sets': {
      const { take, pay, basisPoints, setsMax } = effect.value
      const reduced = basisPoints === 0 ? FREE : BigInt(basisPoints)
      return { kind: 'sets', take, pay, basisPoints: reduced, setsMax: setsMax === 0 ? SETS_DEFAULT : setsMax }
    }
    case undefined:
      throw new Error('a stored discount has no effect')
  }
}
