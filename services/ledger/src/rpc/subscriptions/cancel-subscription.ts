import { checkIdempotencyKey, checkUuid, failedPrecondition, notFound, type Sql } from '@stampede/platform'
import { CancelSubscriptionRequest, CancelSubscriptionResponse } from '@stampede/proto/subscriptions/v1'
import type { LedgerContext } from '../../context.ts'
import { sum } from '../../domain/shares.ts'
import { refundPosting, revenuePosting } from '../../domain/subscriptions/books.ts'
import { daysAt, revenueOf } from '../../domain/subscriptions/subscription.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { insertMoneyPostings } from '../../store/money.ts'
import { readPlanRules } from '../../store/subscriptions/plans.ts'
import { lockSubscription, writeSubscription } from '../../store/subscriptions/subscriptions.ts'
import { readTerms, type StoredTerm, writeTerms } from '../../store/subscriptions/terms.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { subscriptionMessage, tellSubscription } from './subscription-state.ts'

/** The running term, and one that is paid ahead. */
const OPEN_TERMS_MAX = 2

/** Ends a subscription with what is paid, or at once with a refund. */
export async function cancelSubscription(
  context: LedgerContext,
  request: CancelSubscriptionRequest,
): Promise<CancelSubscriptionResponse> {
  const { brand, timeZone } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const subscriptionId = checkUuid(request.subscriptionId, 'subscription_id')
  const encoded = CancelSubscriptionRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('subscription.cancel', encoded), method: 'subscription.cancel' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const nowMs = now.getTime()
    const found = await lockSubscription(tx, brand, subscriptionId)
    if (found === undefined) throw notFound()
    if (found.cancelledAtMs !== undefined) throw failedPrecondition('the subscription is cancelled')
    const plans = await readPlanRules(tx, brand, found.planId)
    if (request.refund && plans.at(-1)?.refundsDays !== true) throw failedPrecondition('the plan has no refund')
    const terms = await readTerms(tx, found, OPEN_TERMS_MAX)
    const ended = terms.map((term) => {
      const isRefunded = request.refund && term.untilMs > nowMs
      if (isRefunded) return refunded(term, nowMs, timeZone)
      // Without a further term there is no grace either.
      return { ...term, benefitsUntilMs: Math.min(term.benefitsUntilMs, Math.max(term.untilMs, nowMs)) }
    })
    await writeTerms(tx, ended)
    await book(tx, terms, ended, now)
    const refundMinor = sum(ended.map((term) => term.refundMinor)) - sum(terms.map((term) => term.refundMinor))
    const subscription = await writeSubscription(tx, { ...found, cancelledAtMs: nowMs })
    const standing = { subscription, last: ended[0], plans }
    await tellSubscription(tx, standing, now)
    const answer = { subscription: subscriptionMessage(standing, nowMs), refundMinor }
    return { response: CancelSubscriptionResponse.encode(answer).finish(), causeId: subscriptionId }
  })
  return CancelSubscriptionResponse.decode(response)
}

/** A term that ends now: days that have begun are earned, the others are given back. */
function refunded(term: StoredTerm, nowMs: number, timeZone: string): StoredTerm {
  const revenueMinor = revenueOf(term, daysAt(term, nowMs, timeZone).begun, timeZone)
  const refundMinor = term.priceMinor - revenueMinor
  return { ...term, revenueMinor, refundMinor, benefitsUntilMs: Math.max(term.fromMs, nowMs), earnsAtMs: undefined }
}

async function book(tx: Sql, before: readonly StoredTerm[], after: readonly StoredTerm[], now: Date): Promise<void> {
  const postings = after.flatMap((term, index) => {
    const earlier = before[index] ?? term
    return [
      revenuePosting(term, term.revenueMinor - earlier.revenueMinor, now.getTime()),
      refundPosting(term, term.refundMinor - earlier.refundMinor, now.getTime()),
    ].map((posting) => ({ brand: term.brand, posting }))
  })
  await insertMoneyPostings(
    tx,
    postings.filter(({ posting }) => posting.entries.length > 0),
    now,
  )
}
