import type {
  RewardOrder as OrderMessage,
  Reward as RewardMessage,
  RewardStock as StockMessage,
} from '@stampede/proto/rewards/v1'
import { limitOf } from './discount-message.ts'
import type { RewardOrder } from './domain/rewards/order.ts'
import type { Reward, Stock } from './domain/rewards/reward.ts'

/** A checked message as the domain knows it. */
export function rewardOf(message: RewardMessage, version: number): Reward {
  const { rewardId, kind, points, tierPoints, surchargeMinor, memberLimit, from, until, partner, costMinor } = message
  return {
    rewardId,
    version,
    kind: kind === 'service' || kind === 'voucher' ? kind : 'goods',
    points,
    tierPoints: new Map(tierPoints.map((price) => [price.tierId, price.points])),
    surchargeMinor,
    memberLimit: limitOf(BigInt(memberLimit)),
    fromMs: from?.getTime() ?? Number.NEGATIVE_INFINITY,
    untilMs: until?.getTime() ?? Number.POSITIVE_INFINITY,
    cancelDays: message.cancelDays,
    partner,
    costMinor,
  }
}

/** An order as callers see it; `codes` of a fulfilled one. */
export function orderMessage(order: RewardOrder, codes: readonly string[]): OrderMessage {
  const { orderId, memberId, rewardId, quantity, cancelled, points, surchargeMinor, state } = order
  return {
    orderId,
    memberId,
    rewardId,
    quantity: Number(quantity),
    cancelled: Number(cancelled),
    points,
    surchargeMinor,
    state,
    placedAt: new Date(order.placedAtMs),
    cancelUntil: new Date(order.cancelUntilMs),
    codes: state === 'fulfilled' ? [...codes] : [],
  }
}

/** A stock as callers see it. */
export function stockMessage({ free, reserved, delivered }: Stock): StockMessage {
  return { free: free ?? 0n, reserved, delivered }
}
