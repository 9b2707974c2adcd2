import { checkUuid } from '@stampede/platform'
import type { ListMemberSubscriptionsRequest, ListMemberSubscriptionsResponse } from '@stampede/proto/subscriptions/v1'
import type { LedgerContext } from '../../context.ts'
import { readPlanRules } from '../../store/subscriptions/plans.ts'
import { readSubscriptions } from '../../store/subscriptions/subscriptions.ts'
import { readTerms } from '../../store/subscriptions/terms.ts'
import { brandOf } from '../checks.ts'
import { subscriptionMessage } from './subscription-state.ts'

/** Subscriptions of a member. */
export async function listMemberSubscriptions(
  context: LedgerContext,
  request: ListMemberSubscriptionsRequest,
): Promise<ListMemberSubscriptionsResponse> {
  const { brand } = brandOf(context, request.brand)
  const memberId = checkUuid(request.memberId, 'member_id')
  const { database } = context
  const nowMs = context.clock.nowMs()
  const found = await readSubscriptions(database, brand, memberId)
  const subscriptions = await Promise.all(
    found.map(async (subscription) => {
      const [last] = await readTerms(database, subscription, 1)
      return subscriptionMessage(
        { subscription, last, plans: await readPlanRules(database, brand, subscription.planId) },
        nowMs,
      )
    }),
  )
  return { subscriptions }
}
