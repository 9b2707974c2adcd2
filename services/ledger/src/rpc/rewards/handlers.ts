import type { Handlers } from '@stampede/platform'
import type { RewardServiceService } from '@stampede/proto/rewards/v1'
import type { LedgerContext } from '../../context.ts'
import { cancelRewardOrder } from './cancel-reward-order.ts'
import { changeRewardStock } from './change-reward-stock.ts'
import { fulfilRewardOrder } from './fulfil-reward-order.ts'
import { listRewardOrders } from './list-reward-orders.ts'
import { listRewardsOf } from './list-rewards.ts'
import { orderReward } from './order-reward.ts'
import { putReward } from './put-reward.ts'

/** All methods of the reward catalogue over one context. */
export function rewardHandlers(context: LedgerContext): Handlers<typeof RewardServiceService> {
  return {
    putReward: (request) => putReward(context, request),
    changeRewardStock: (request) => changeRewardStock(context, request),
    listRewards: (request) => listRewardsOf(context, request),
    orderReward: (request, call) => orderReward(context, request, call),
    fulfilRewardOrder: (request) => fulfilRewardOrder(context, request),
    cancelRewardOrder: (request, call) => cancelRewardOrder(context, request, call),
    listRewardOrders: (request) => listRewardOrders(context, request),
  }
}
