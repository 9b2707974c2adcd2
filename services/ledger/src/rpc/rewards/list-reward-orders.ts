import { checkUuid } from '@stampede/platform'
import type { ListRewardOrdersRequest, ListRewardOrdersResponse } from '@stampede/proto/rewards/v1'
import type { LedgerContext } from '../../context.ts'
import { orderMessage } from '../../reward-message.ts'
import { readCodes } from '../../store/rewards/codes.ts'
import { readMemberOrders } from '../../store/rewards/orders.ts'
import { brandOf } from '../checks.ts'

const ORDERS_MAX = 500

/** Orders of a member, newest first. */
export async function listRewardOrders(
  context: LedgerContext,
  request: ListRewardOrdersRequest,
): Promise<ListRewardOrdersResponse> {
  const { brand } = brandOf(context, request.brand)
  const memberId = checkUuid(request.memberId, 'member_id')
  const orders = await readMemberOrders(context.database, brand, memberId, ORDERS_MAX)
  const codes = await readCodes(
    context.database,
    brand,
    orders.map(({ orderId }) => orderId),
  )
  return { orders: orders.map((order) => orderMessage(order, codes.get(order.orderId) ?? [])) }
}
