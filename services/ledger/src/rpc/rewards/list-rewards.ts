import { checkText } from '@stampede/platform'
import type { ListRewardsRequest, ListRewardsResponse } from '@stampede/proto/rewards/v1'
import type { LedgerContext } from '../../context.ts'
import { stockMessage } from '../../reward-message.ts'
import { listRewards } from '../../store/rewards/rewards.ts'
import { brandOf, checkPageSize } from '../checks.ts'

/** Rewards of a brand with their stock. */
export async function listRewardsOf(context: LedgerContext, request: ListRewardsRequest): Promise<ListRewardsResponse> {
  const { brand } = brandOf(context, request.brand)
  const limit = checkPageSize(request.pageSize)
  const afterId = checkText(request.pageToken, 'page_token', { max: 40 })
  const found = await listRewards(context.database, brand, afterId, limit + 1)
  const page = found.slice(0, limit)
  return {
    rewards: page.map(({ message, stock }) => ({ reward: message, stock: stockMessage(stock) })),
    nextPageToken: found.length > limit ? (page.at(-1)?.rewardId ?? '') : '',
  }
}
