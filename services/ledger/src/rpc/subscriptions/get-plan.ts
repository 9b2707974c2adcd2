import { notFound } from '@stampede/platform'
import type { GetSubscriptionPlanRequest, GetSubscriptionPlanResponse } from '@stampede/proto/subscriptions/v1'
import type { LedgerContext } from '../../context.ts'
import { readPlans } from '../../store/subscriptions/plans.ts'
import { brandOf } from '../checks.ts'
import { checkPlanId } from './put-plan.ts'

/** The newest version of a plan. */
export async function getSubscriptionPlan(
  context: LedgerContext,
  request: GetSubscriptionPlanRequest,
): Promise<GetSubscriptionPlanResponse> {
  const { brand } = brandOf(context, request.brand)
  const stored = (await readPlans(context.database, brand, checkPlanId(request.planId))).at(-1)
  if (stored === undefined) throw notFound()
  return { plan: stored.message, version: stored.version }
}
