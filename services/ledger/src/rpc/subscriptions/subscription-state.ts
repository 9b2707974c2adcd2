import { type Sql, writeOutbox } from '@stampede/platform'
import type { Subscription as SubscriptionMessage } from '@stampede/proto/subscriptions/v1'
import { planForTerm, type SubscriptionPlan } from '../../domain/subscriptions/plan.ts'
import { nextFrom, type Subscription, stateAt, type Term } from '../../domain/subscriptions/subscription.ts'
import { subscriptionEvent } from '../../events.ts'

/** A subscription with what is needed to tell where it stands. */
export interface Standing {
  readonly subscription: Subscription
  /** Its newest term. */
  readonly last: Term | undefined
  /** Versions of its plan, oldest first. */
  readonly plans: readonly SubscriptionPlan[]
}

/** The version by which the next term is paid. */
export function nextPlan({ subscription, last, plans }: Standing, nowMs: number): SubscriptionPlan | undefined {
  const { startedAtMs } = subscription
  return planForTerm(plans, { startedAtMs, termFromMs: nextFrom(last, nowMs) }) ?? plans[0]
}

/** A subscription as callers see it. */
export function subscriptionMessage(standing: Standing, nowMs: number): SubscriptionMessage {
  const { subscription, last } = standing
  const { subscriptionId, planId, memberId, cancelledAtMs } = subscription
  return {
    subscriptionId,
    planId,
    memberId,
    state: stateAt(subscription, last, nowMs),
    paidUntil: last && new Date(last.untilMs),
    benefitsUntil: last && new Date(last.benefitsUntilMs),
    nextPriceMinor: cancelledAtMs === undefined ? (nextPlan(standing, nowMs)?.priceMinor ?? 0n) : 0n,
  }
}

/** Puts the state of a subscription into the outbox. */
export async function tellSubscription(tx: Sql, { subscription, last }: Standing, now: Date): Promise<void> {
  await writeOutbox(tx, [subscriptionEvent(subscription, last, now)])
}
