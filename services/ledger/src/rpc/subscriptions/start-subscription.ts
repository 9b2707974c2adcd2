import { checkIdempotencyKey, checkUuid, notFound, StampedeError, uuidv7 } from '@stampede/platform'
import { StartSubscriptionRequest, StartSubscriptionResponse } from '@stampede/proto/subscriptions/v1'
import type { LedgerContext } from '../../context.ts'
import { type Subscription, trialTerm } from '../../domain/subscriptions/subscription.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { readPlanRules } from '../../store/subscriptions/plans.ts'
import { ensureSubscription, lockTrialOf, writeSubscription } from '../../store/subscriptions/subscriptions.ts'
import { insertTerm, readTerms } from '../../store/subscriptions/terms.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { checkPlanId } from './put-plan.ts'
import { subscriptionMessage, tellSubscription } from './subscription-state.ts'

/** Subscribes a member, or one who has cancelled again. */
export async function startSubscription(
  context: LedgerContext,
  request: StartSubscriptionRequest,
): Promise<StartSubscriptionResponse> {
  const { brand, timeZone } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const memberId = checkUuid(request.memberId, 'member_id')
  const planId = checkPlanId(request.planId)
  const encoded = StartSubscriptionRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('subscription', encoded), method: 'subscription' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const nowMs = now.getTime()
    const plans = await readPlanRules(tx, brand, planId)
    const plan = plans.at(-1)
    if (plan === undefined) throw notFound()
    const subscriptionId = uuidv7(nowMs)
    const fresh = { brand, subscriptionId, memberId, planId, startedAtMs: nowMs, cancelledAtMs: undefined, version: 0n }
    const found = await ensureSubscription(tx, { ...fresh, version: 1n })
    const isNew = found.subscriptionId === subscriptionId
    if (!isNew && found.cancelledAtMs === undefined) {
      throw new StampedeError('ALREADY_EXISTS', 'the member is subscribed', { field: 'plan_id' })
    }
    const begun: Subscription = { ...found, startedAtMs: nowMs, cancelledAtMs: undefined }
    const subscription = isNew ? found : await writeSubscription(tx, begun)
    const hasTrial = plan.trialDays > 0 && !(await lockTrialOf(tx, brand, memberId))
    const [before] = await readTerms(tx, subscription, 1)
    if (hasTrial) {
      const term = trialTerm(plan, (before?.number ?? 0) + 1, nowMs, timeZone)
      await insertTerm(tx, {
        ...term,
        brand,
        subscriptionId: subscription.subscriptionId,
        memberId,
        earnsAtMs: undefined,
      })
    }
    const [last] = hasTrial ? await readTerms(tx, subscription, 1) : [before]
    const standing = { subscription, last, plans }
    await tellSubscription(tx, standing, now)
    const answer = { subscription: subscriptionMessage(standing, nowMs) }
    return { response: StartSubscriptionResponse.encode(answer).finish(), causeId: subscription.subscriptionId }
  })
  return StartSubscriptionResponse.decode(response)
}
