import { DonatePointsResponse, UndoDonationResponse } from '@stampede/proto/donations/v1'
import {
  type Balance,
  CancelHoldResponse,
  CommitHoldResponse,
  CreateHoldResponse,
  type GiftCardShare,
  PostReceiptResponse,
  ReturnReceiptResponse,
} from '@stampede/proto/ledger/v1'
import {
  ActivatePointsResponse,
  AdjustPointsResponse,
  CorrectGrantResponse,
  GrantPointsResponse,
  ResolveAdjustmentResponse,
  TransferPointsResponse,
} from '@stampede/proto/points/v1'
import { CancelRewardOrderResponse, OrderRewardResponse } from '@stampede/proto/rewards/v1'
import { SetTierResponse } from '@stampede/proto/tiers/v1'
import type { Account } from './domain/account.ts'
import type { DonatedMoney } from './domain/donations/donation.ts'
import type { ReturnOutcome } from './domain/return.ts'
import type { RewardOrder } from './domain/rewards/order.ts'
import type { SaleOutcome } from './domain/sale.ts'
import { sum } from './domain/shares.ts'
import { expirySchedule } from './domain/view.ts'
import type { Stamped } from './flush/stamps.ts'
import { orderMessage } from './reward-message.ts'
import type { Adjustment } from './store/adjustments.ts'
import type { EventGrant } from './store/event-grants.ts'

/** What a balance looks like to callers. */
export function toBalance(account: Account): Balance {
  const { available, pending, held, debt, version } = account
  const expiries = expirySchedule(account).map(({ expiresAtMs, points }) => ({
    expiresAt: new Date(expiresAtMs),
    points,
  }))
  return { available, pending, held, debt, version, expiries }
}

/** Encoded answer to a sale. */
export function saleAnswer(
  outcome: SaleOutcome,
  account: Account,
  { stamped, giftCards }: { readonly stamped: readonly Stamped[]; readonly giftCards: readonly GiftCardShare[] },
): Uint8Array {
  return PostReceiptResponse.encode({
    receiptId: outcome.sale.receiptId,
    pointsEarned: outcome.earned,
    pointsSpent: outcome.spent,
    pointsShort: outcome.short,
    balance: toBalance(account),
    totalMinor: outcome.totalMinor,
    discountMinor: outcome.discountMinor,
    stampCards: stamped.map((card) => ({ ...card, couponCodes: [...card.couponCodes] })),
    giftCards: [...giftCards],
  }).finish()
}

/** Encoded answer to a return. */
export function returnAnswer(
  returnReceiptId: string,
  outcome: ReturnOutcome,
  account: Account,
  giftCards: readonly GiftCardShare[],
): Uint8Array {
  const toCards = sum(giftCards.map(({ amountMinor }) => amountMinor))
  return ReturnReceiptResponse.encode({
    returnReceiptId,
    refundMinor: outcome.refundMinor - toCards,
    giftCards: [...giftCards],
    pointsRestored: outcome.restored,
    pointsReversed: outcome.reversed,
    balance: toBalance(account),
    pointsWrittenOff: outcome.writtenOff,
    parkedUntil: undefined,
  }).finish()
}

/** Encoded answer to a new hold. */
export function holdAnswer(holdId: string, expiresAtMs: number, account: Account): Uint8Array {
  return CreateHoldResponse.encode({
    holdId,
    expiresAt: new Date(expiresAtMs),
    balance: toBalance(account),
  }).finish()
}

/** Encoded answer to a captured hold. */
export function commitAnswer(account: Account): Uint8Array {
  return CommitHoldResponse.encode({ balance: toBalance(account) }).finish()
}

/** Encoded answer to a hold that was given up. */
export function cancelAnswer(account: Account): Uint8Array {
  return CancelHoldResponse.encode({ balance: toBalance(account) }).finish()
}

/** Encoded answer to points that were made spendable. */
export function activateAnswer(account: Account): Uint8Array {
  return ActivatePointsResponse.encode({ balance: toBalance(account) }).finish()
}

/** Encoded answer to points for an event. */
export function grantAnswer({ grantId, points }: EventGrant, account: Account): Uint8Array {
  return GrantPointsResponse.encode({ grantId, points, balance: toBalance(account) }).finish()
}

/** Encoded answer to a correction of them. */
export function correctAnswer({ grantId, points }: EventGrant, account: Account): Uint8Array {
  return CorrectGrantResponse.encode({ grantId, points, balance: toBalance(account) }).finish()
}

/** Encoded answer to a transfer, with the account of the member who gave. */
export function transferAnswer(transferId: string, account: Account): Uint8Array {
  return TransferPointsResponse.encode({ transferId, balance: toBalance(account) }).finish()
}

/** Encoded answer to a correction by hand. */
export function adjustAnswer({ adjustmentId, state }: Adjustment, account: Account): Uint8Array {
  return AdjustPointsResponse.encode({ adjustmentId, state, balance: toBalance(account) }).finish()
}

/** Encoded answer to an order of a reward. */
export function orderAnswer(order: RewardOrder, account: Account): Uint8Array {
  return OrderRewardResponse.encode({ order: orderMessage(order, []), balance: toBalance(account) }).finish()
}

/** Encoded answer to pieces of it that were cancelled. */
export function cancelOrderAnswer(order: RewardOrder, pointsRestored: bigint, account: Account): Uint8Array {
  const message = { order: orderMessage(order, []), pointsRestored, balance: toBalance(account) }
  return CancelRewardOrderResponse.encode(message).finish()
}

/** Encoded answer to whoever resolved one. */
export function resolveAnswer(state: Adjustment['state'], account: Account): Uint8Array {
  return ResolveAdjustmentResponse.encode({ state, balance: toBalance(account) }).finish()
}

/** Encoded answer to a tier given by hand. */
export function tierAnswer(tierId: string): Uint8Array {
  return SetTierResponse.encode({ tierId }).finish()
}

/** Encoded answer to a donation. */
export function donateAnswer(
  donationId: string,
  money: DonatedMoney,
  undoUntilMs: number,
  account: Account,
): Uint8Array {
  const undoUntil = new Date(undoUntilMs)
  return DonatePointsResponse.encode({ donationId, ...money, undoUntil, balance: toBalance(account) }).finish()
}

/** Encoded answer to one that was undone. */
export function undoAnswer(account: Account): Uint8Array {
  return UndoDonationResponse.encode({ balance: toBalance(account) }).finish()
}
