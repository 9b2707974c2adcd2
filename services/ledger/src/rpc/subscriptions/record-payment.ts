import {
  checkBigint,
  checkIdempotencyKey,
  checkText,
  checkUuid,
  failedPrecondition,
  invalidArgument,
  notFound,
} from '@stampede/platform'
import { RecordSubscriptionPaymentRequest, RecordSubscriptionPaymentResponse } from '@stampede/proto/subscriptions/v1'
import type { LedgerContext } from '../../context.ts'
import { feePosting } from '../../domain/subscriptions/books.ts'
import { dayEnd, paidTerm } from '../../domain/subscriptions/subscription.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { insertMoneyPostings } from '../../store/money.ts'
import { readPlanRules } from '../../store/subscriptions/plans.ts'
import { lockSubscription, writeSubscription } from '../../store/subscriptions/subscriptions.ts'
import { insertTerm, readTerms, writeTerms } from '../../store/subscriptions/terms.ts'
import { brandOf, fingerprint, POINTS_MAX, TAG_CHARACTERS_MAX } from '../checks.ts'
import { nextPlan, subscriptionMessage, tellSubscription } from './subscription-state.ts'

/** Notes that the next term was paid. */
export async function recordSubscriptionPayment(
  context: LedgerContext,
  request: RecordSubscriptionPaymentRequest,
): Promise<RecordSubscriptionPaymentResponse> {
  const { brand, timeZone } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const subscriptionId = checkUuid(request.subscriptionId, 'subscription_id')
  const tender = checkText(request.tender, 'tender', { min: 1, max: TAG_CHARACTERS_MAX })
  const amountMinor = checkBigint(request.amountMinor, 'amount_minor', { min: 1n, max: POINTS_MAX })
  const encoded = RecordSubscriptionPaymentRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('subscription.pay', encoded), method: 'subscription.pay' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const nowMs = now.getTime()
    const found = await lockSubscription(tx, brand, subscriptionId)
    if (found === undefined) throw notFound()
    if (found.cancelledAtMs !== undefined) throw failedPrecondition('the subscription is cancelled')
    const [last] = await readTerms(tx, found, 1)
    if (last !== undefined && last.refundMinor === 0n && last.fromMs > nowMs)
      throw failedPrecondition('a term is paid ahead')
    const plans = await readPlanRules(tx, brand, found.planId)
    const plan = nextPlan({ subscription: found, last, plans }, nowMs)
    if (plan === undefined) throw notFound()
    if (amountMinor !== plan.priceMinor) throw invalidArgument('amount_minor', `the term costs ${plan.priceMinor}`)
    const term = paidTerm(plan, last, { nowMs, timeZone, tender })
    if (last !== undefined && term.fromMs === last.untilMs) {
      await writeTerms(tx, [{ ...last, benefitsUntilMs: last.untilMs }])
    }
    const { memberId } = found
    await insertTerm(tx, { ...term, brand, subscriptionId, memberId, earnsAtMs: dayEnd(term, 0, timeZone) })
    const posting = feePosting({ subscriptionId, ...term }, amountMinor, nowMs)
    await insertMoneyPostings(tx, [{ brand, posting }], now)
    const standing = { subscription: await writeSubscription(tx, found), last: term, plans }
    await tellSubscription(tx, standing, now)
    const answer = { subscription: subscriptionMessage(standing, nowMs) }
    return { response: RecordSubscriptionPaymentResponse.encode(answer).finish(), causeId: subscriptionId }
  })
  return RecordSubscriptionPaymentResponse.decode(response)
}
