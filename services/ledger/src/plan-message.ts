import type { SubscriptionPlan as PlanMessage } from '@stampede/proto/subscriptions/v1'
import type { SubscriptionPlan } from './domain/subscriptions/plan.ts'

/** A checked message as the domain knows it. */
export function planOf(message: PlanMessage, version: number, publishedAtMs: number): SubscriptionPlan {
  return {
    planId: message.planId,
    version,
    publishedAtMs,
    priceMinor: message.priceMinor,
    termMonths: message.termMonths,
    trialDays: message.trialDays,
    graceDays: message.graceDays,
    tags: message.tags,
    refundsDays: message.refund === 'by_days',
    noticeDays: message.noticeDays,
  }
}
