import {
  checkBigint,
  checkIdempotencyKey,
  checkInt,
  checkList,
  checkPresent,
  checkText,
  invalidArgument,
} from '@stampede/platform'
import {
  PutSubscriptionPlanRequest,
  PutSubscriptionPlanResponse,
  type SubscriptionPlan,
} from '@stampede/proto/subscriptions/v1'
import type { LedgerContext } from '../../context.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { insertPlan, readPlans } from '../../store/subscriptions/plans.ts'
import { brandOf, checkOneOf, fingerprint, idPattern, POINTS_MAX, TAG_CHARACTERS_MAX } from '../checks.ts'

const VERSIONS_MAX = 1_000
const MONTHS_MAX = 60
const DAYS_MAX = 365
const GRACE_DAYS_MAX = 90
const PLAN_TAGS_MAX = 10

/** Publishes a version of a plan. */
export async function putSubscriptionPlan(
  context: LedgerContext,
  request: PutSubscriptionPlanRequest,
): Promise<PutSubscriptionPlanResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const message = checkPresent(request.plan, 'plan')
  checkPlan(message)
  const encoded = PutSubscriptionPlanRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('subscription.plan', encoded), method: 'subscription.plan' }
  const response = await answerOnce(context, once, async (tx, now) => {
    await tx.query(
      `SELECT pg_advisory_xact_lock(hashtextextended('ledger.subscription-plan.' || $1 || '/' || $2, 0))`,
      [brand, message.planId],
    )
    const version = ((await readPlans(tx, brand, message.planId)).at(-1)?.version ?? 0) + 1
    if (version > VERSIONS_MAX) throw invalidArgument('plan', `has at most ${VERSIONS_MAX} versions`)
    await insertPlan(tx, brand, { version, message, publishedAtMs: now.getTime() })
    return { response: PutSubscriptionPlanResponse.encode({ version }).finish(), causeId: null }
  })
  return PutSubscriptionPlanResponse.decode(response)
}

function checkPlan(plan: SubscriptionPlan): void {
  checkPlanId(plan.planId, 'plan.plan_id')
  checkBigint(plan.priceMinor, 'plan.price_minor', { min: 1n, max: POINTS_MAX })
  checkInt(plan.termMonths, 'plan.term_months', { min: 1, max: MONTHS_MAX })
  checkInt(plan.trialDays, 'plan.trial_days', { min: 0, max: DAYS_MAX })
  checkInt(plan.graceDays, 'plan.grace_days', { min: 0, max: GRACE_DAYS_MAX })
  checkOneOf(plan.refund, 'plan.refund', ['', 'none', 'by_days'])
  checkInt(plan.noticeDays, 'plan.notice_days', { min: 0, max: DAYS_MAX })
  for (const [index, tag] of checkList(plan.tags, 'plan.tags', { min: 1, max: PLAN_TAGS_MAX }).entries()) {
    checkText(tag, `plan.tags[${index}]`, { min: 1, max: TAG_CHARACTERS_MAX })
  }
}

/** The id of a plan. */
export function checkPlanId(text: string, field = 'plan_id'): string {
  return checkText(text, field, { min: 1, max: 40, pattern: idPattern })
}
