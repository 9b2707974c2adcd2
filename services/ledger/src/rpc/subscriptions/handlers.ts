import type { Handlers } from '@stampede/platform'
import type { SubscriptionServiceService } from '@stampede/proto/subscriptions/v1'
import type { LedgerContext } from '../../context.ts'
import { cancelSubscription } from './cancel-subscription.ts'
import { getSubscriptionPlan } from './get-plan.ts'
import { listMemberSubscriptions } from './list-subscriptions.ts'
import { putSubscriptionPlan } from './put-plan.ts'
import { recordSubscriptionPayment } from './record-payment.ts'
import { startSubscription } from './start-subscription.ts'

/** All methods about paid membership over one context. */
export function subscriptionHandlers(context: LedgerContext): Handlers<typeof SubscriptionServiceService> {
  return {
    putSubscriptionPlan: (request) => putSubscriptionPlan(context, request),
    getSubscriptionPlan: (request) => getSubscriptionPlan(context, request),
    startSubscription: (request) => startSubscription(context, request),
    recordSubscriptionPayment: (request) => recordSubscriptionPayment(context, request),
    cancelSubscription: (request) => cancelSubscription(context, request),
    listMemberSubscriptions: (request) => listMemberSubscriptions(context, request),
  }
}
