import { makeEvent, type OutboxMessage } from '@stampede/platform'
import type { TierStanding } from '@stampede/proto/events/v1'
import { type CouponCampaign, endOf } from './domain/coupons/coupon.ts'
import { cardOf } from './domain/stamps/card.ts'
import { type Subscription, stateAt, type Term } from './domain/subscriptions/subscription.ts'
import type { TierProgress } from './domain/tiers/progress.ts'
import { expirySchedule } from './domain/view.ts'
import type { PostedReceipt, WorkingAccount } from './flush/working-set.ts'
import { giftCardMessage } from './gift-card-message.ts'
import type { StoredCoupon } from './store/coupons/coupons.ts'
import type { StoredGiftCard } from './store/gift-cards/cards.ts'
import type { StoredPrice } from './store/prices/prices.ts'
import type { StoredOrder } from './store/rewards/orders.ts'

/** Meaning of an account's event. */
const ACCOUNT_SCHEMA = 'ledger.account.v1'
/** Meaning of a receipt's event. */
const RECEIPT_SCHEMA = 'ledger.receipt.v1'
/** Meaning of a coupon's event. */
const COUPON_SCHEMA = 'ledger.coupon.v1'
/** Meaning of an order's event. */
const ORDER_SCHEMA = 'ledger.order.v1'
/** Meaning of a stamp card's event. */
const STAMPS_SCHEMA = 'ledger.stamps.v1'
/** Meaning of a gift card's event. */
const GIFT_CARD_SCHEMA = 'ledger.gift-card.v1'
/** Meaning of a subscription's event. */
const SUBSCRIPTION_SCHEMA = 'ledger.subscription.v1'
/** Meaning of the event of a member's own price. */
const MEMBER_PRICE_SCHEMA = 'ledger.member-price.v1'
/** A day before a member's own price ends the member may be reminded. */
const REMIND_MS = 86_400_000
/** A receipt never changes: a return is a receipt of its own. */
const RECEIPT_VERSION = 1n

/** A member's tier as an event tells it. */
export interface ShownTier {
  readonly isChanged: boolean
  /** Grows with every change. */
  readonly changes: bigint
  /** Undefined for a programme that has no tiers any more. */
  readonly progress: TierProgress | undefined
}

/** The event with an account's newest state; undefined when nothing has happened to it. */
export function accountEvent(
  working: WorkingAccount,
  tier: ShownTier | undefined,
  currency: string,
  now: Date,
): OutboxMessage | undefined {
  const { account, cause, key } = working
  if (cause === undefined || (working.postings.length === 0 && tier?.isChanged !== true)) return undefined
  const next = expirySchedule(account)[0]
  return makeEvent(
    {
      brand: key.brand,
      aggregateKind: 'account',
      aggregateId: key.memberId,
      // Either part grows only, so the sum tells which event is newer.
      aggregateVersion: account.version + (tier?.changes ?? 0n),
      eventTime: new Date(cause.eventTimeMs),
      schema: ACCOUNT_SCHEMA,
      payload: {
        $case: 'account',
        value: {
          memberId: key.memberId,
          available: account.available,
          pending: account.pending,
          held: account.held,
          debt: account.debt,
          nextExpiryAt: next === undefined ? undefined : new Date(next.expiresAtMs),
          nextExpiryPoints: next?.points ?? 0n,
          lifetimeEarned: account.lifetimeEarned,
          cause: cause.kind,
          causeId: cause.causeId,
          deltaAvailable: cause.deltaAvailable,
          currency,
          tier: tierMessage(tier?.progress),
        },
      },
    },
    now,
  )
}

function tierMessage(progress: TierProgress | undefined): TierStanding | undefined {
  if (progress === undefined) return undefined
  const { tierId, untilMs, counted, toKeep, nextTierId, toNext, willDowngrade } = progress
  return {
    tierId: tierId ?? '',
    until: Number.isFinite(untilMs) ? new Date(untilMs) : undefined,
    counted,
    toKeep,
    nextTierId: nextTierId ?? '',
    toNext,
    willDowngrade,
  }
}

/** The event with a stamp card's newest state; none when nothing has happened to it. */
export function stampEvent(
  { account, cause, key, postings }: WorkingAccount,
  target: bigint,
  now: Date,
): readonly OutboxMessage[] {
  if (cause === undefined || postings.length === 0) return []
  const { brand, memberId, currency } = key
  const cardId = cardOf(currency)
  const next = expirySchedule(account).find(({ expiresAtMs }) => Number.isFinite(expiresAtMs))
  const value = {
    memberId,
    cardId,
    stamps: account.available,
    owed: account.debt,
    target,
    nextExpiryAt: next === undefined ? undefined : new Date(next.expiresAtMs),
    nextExpiryStamps: next?.points ?? 0n,
  }
  const aggregate = { aggregateKind: 'stamps', aggregateId: `${memberId}/${cardId}` } as const
  const event = { brand, ...aggregate, aggregateVersion: account.version, schema: STAMPS_SCHEMA }
  return [makeEvent({ ...event, eventTime: new Date(cause.eventTimeMs), payload: { $case: 'stamps', value } }, now)]
}

/** The event of an order of the reward catalogue. */
export function orderEvent(
  { brand, orderId, memberId, rewardId, quantity, cancelled, state, points, version }: StoredOrder,
  now: Date,
): OutboxMessage {
  const value = { orderId, memberId, rewardId, quantity, cancelled, state, points }
  const aggregate = { aggregateKind: 'order', aggregateId: orderId, aggregateVersion: version } as const
  const event = { brand, ...aggregate, eventTime: now, schema: ORDER_SCHEMA }
  return makeEvent({ ...event, payload: { $case: 'order', value } }, now)
}

/** The event of a sale or return. */
export function receiptEvent(posted: PostedReceipt, now: Date): OutboxMessage {
  const { receipt, event, currency } = posted
  return makeEvent(
    {
      brand: receipt.natural.brand,
      aggregateKind: 'receipt',
      aggregateId: receipt.receiptId,
      aggregateVersion: RECEIPT_VERSION,
      eventTime: new Date(receipt.occurredAtMs),
      schema: RECEIPT_SCHEMA,
      payload: {
        $case: 'receipt',
        value: {
          receiptId: receipt.receiptId,
          kind: receipt.natural.kind,
          memberId: receipt.memberId,
          storeId: event.storeId,
          tillId: event.tillId,
          number: receipt.natural.number,
          occurredAt: new Date(receipt.occurredAtMs),
          totalMinor: receipt.totalMinor,
          currency,
          pointsEarned: receipt.earned,
          pointsSpent: receipt.spent,
          lines: [...event.lines],
          originalReceiptId: receipt.originalReceiptId ?? '',
        },
      },
    },
    now,
  )
}

/** The events of members' coupons; a bearer's has none. */
export function couponEvents(
  coupons: readonly StoredCoupon[],
  campaign: CouponCampaign,
  now: Date,
): readonly OutboxMessage[] {
  return coupons.flatMap((coupon) => {
    const { brand, couponId, campaignId, memberId, code, state, version } = coupon
    if (memberId === undefined) return []
    const endMs = endOf(coupon, campaign)
    const validUntil = Number.isFinite(endMs) ? new Date(endMs) : undefined
    const aggregate = { aggregateKind: 'coupon', aggregateId: couponId, aggregateVersion: version } as const
    const value = { couponId, campaignId, memberId, code, state, validUntil }
    const event = { brand, ...aggregate, eventTime: now, schema: COUPON_SCHEMA }
    return [makeEvent({ ...event, payload: { $case: 'coupon', value } }, now)]
  })
}

/** The event of a gift card. */
export function giftCardEvent({ brand, card, version }: StoredGiftCard, currency: string, now: Date): OutboxMessage {
  const { cardId, state, availableMinor, heldMinor, expiresAt, replacedBy } = giftCardMessage(card)
  const value = { cardId, state, availableMinor, heldMinor, expiresAt, replacedBy, currency }
  const aggregate = { aggregateKind: 'giftCard', aggregateId: cardId, aggregateVersion: version } as const
  const event = { brand, ...aggregate, eventTime: now, schema: GIFT_CARD_SCHEMA }
  return makeEvent({ ...event, payload: { $case: 'giftCard', value } }, now)
}

/** The event of a subscription with its newest term. */
export function subscriptionEvent(subscription: Subscription, last: Term | undefined, now: Date): OutboxMessage {
  const { brand, subscriptionId, memberId, planId, version } = subscription
  const state = stateAt(subscription, last, now.getTime())
  const until = { paidUntil: last && new Date(last.untilMs), benefitsUntil: last && new Date(last.benefitsUntilMs) }
  const value = { subscriptionId, memberId, planId, state, ...until }
  const aggregate = { aggregateKind: 'subscription', aggregateId: subscriptionId, aggregateVersion: version } as const
  const event = { brand, ...aggregate, eventTime: now, schema: SUBSCRIPTION_SCHEMA }
  return makeEvent({ ...event, payload: { $case: 'subscription', value } }, now)
}

/** The event of a member's own price. */
export function memberPriceEvent({ brand, memberId, price, version }: StoredPrice, now: Date): OutboxMessage {
  const { priceId, kind, fromMs, untilMs, items } = price
  const remindAtMs = untilMs - REMIND_MS
  const value = {
    priceId,
    memberId,
    kind,
    from: new Date(fromMs),
    until: new Date(untilMs),
    skus: items.map(({ sku }) => sku),
    basisPoints: items.map(({ basisPoints }) => basisPoints),
    remindAt: remindAtMs > now.getTime() ? new Date(remindAtMs) : undefined,
  }
  const aggregate = { aggregateKind: 'memberPrice', aggregateId: priceId, aggregateVersion: version } as const
  const event = { brand, ...aggregate, eventTime: now, schema: MEMBER_PRICE_SCHEMA }
  return makeEvent({ ...event, payload: { $case: 'memberPrice', value } }, now)
}
