import { checkUuid } from '@stampede/platform'
import type { ListMemberPricesRequest, ListMemberPricesResponse } from '@stampede/proto/prices/v1'
import type { LedgerContext } from '../../context.ts'
import { priceMessage } from '../../price-message.ts'
import { readMemberPrices } from '../../store/prices/prices.ts'
import { brandOf } from '../checks.ts'

/** Prices of a member's own that hold now or will: a favourite, a set and the next one at most. */
export async function listMemberPrices(
  context: LedgerContext,
  request: ListMemberPricesRequest,
): Promise<ListMemberPricesResponse> {
  const { brand } = brandOf(context, request.brand)
  const memberId = checkUuid(request.memberId, 'member_id')
  const prices = await readMemberPrices(context.database, [{ brand, memberId }], context.clock.nowMs())
  return { prices: prices.map(({ price }) => priceMessage(price)) }
}
