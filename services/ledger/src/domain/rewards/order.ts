import type { Draw } from '../account.ts'
import { addSide, chooseLots, closePosting, type Draft, openPosting, takeDraws } from '../draft.ts'
import type { Refusal } from '../refusal.ts'
import type { SaleRecord } from '../sale.ts'

/** What a member has ordered for points. */
export interface RewardOrder {
  readonly orderId: string
  readonly memberId: string
  readonly rewardId: string
  readonly rewardVersion: number
  readonly quantity: bigint
  /** Pieces of it that were cancelled. */
  readonly cancelled: bigint
  /** Of the whole order. */
  readonly points: bigint
  readonly surchargeMinor: bigint
  readonly state: 'placed' | 'fulfilled' | 'cancelled'
  readonly placedAtMs: number
  /** First instant at which it can no longer be cancelled, Unix milliseconds. */
  readonly cancelUntilMs: number
  /** What paid for it, in the order of consumption. */
  readonly spendDraws: readonly Draw[]
}

/** Pay for an order. */
export interface PayCommand {
  readonly kind: 'pay'
  readonly orderId: string
  /** Positive. */
  readonly points: bigint
}

/** What paying came to. */
export interface PayOutcome {
  readonly kind: 'pay'
  readonly spendDraws: readonly Draw[]
}

/** Takes the points of an order, first to expire first. */
export function applyPay(draft: Draft, { orderId, points }: PayCommand, nowMs: number): PayOutcome | Refusal {
  const { available } = draft
  if (available < points) return { ok: false, reason: 'insufficient_points', available }
  const spendDraws = chooseLots(draft.lots.values(), points)
  const posting = openPosting('order', orderId, nowMs)
  takeDraws(draft, posting, spendDraws, 'spend')
  addSide(posting, 'redeemed', points)
  closePosting(draft, posting)
  return { kind: 'pay', spendDraws }
}

/** An order as a sale of one line that points paid, so that cancelling is a return of pieces. */
export function orderAsSale({ orderId, quantity, cancelled, points, spendDraws }: RewardOrder): SaleRecord {
  const line = { sku: '', category: '', quantity, amountMinor: 0n, discountMinor: 0n, earned: 0n }
  return {
    receiptId: orderId,
    lines: [{ ...line, paid: points, returned: cancelled }],
    pointValueMinor: 0n,
    lotId: null,
    spendDraws,
    reverseDraws: [],
    reverseDebt: 0n,
    reversePending: 0n,
  }
}
