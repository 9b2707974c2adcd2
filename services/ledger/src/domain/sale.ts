import type { Draw } from './account.ts'
import { addSide, closePosting, type Draft, moveDebt, moveLot, openPosting, putLot, smaller } from './draft.ts'
import type { Explanation } from './earn.ts'
import { captureHold, openHold } from './hold.ts'
import { isPayable, maxPointsForLines, type PricedLine, priceLines, totalOf } from './pricing.ts'
import type { Programme, SaleLine } from './programme.ts'
import type { Refusal } from './refusal.ts'
import { expireLots } from './settle.ts'

/** Post a sale: use its hold, grant its points. */
export interface SaleCommand {
  readonly kind: 'sale'
  readonly receiptId: string
  readonly storeId: string
  /** At the till, Unix milliseconds. */
  readonly occurredAtMs: number
  readonly lines: readonly SaleLine[]
  /** The version in force when the receipt occurred. */
  readonly programme: Programme
  /** Empty for none. */
  readonly holdId: string
  /** Zero without a hold. */
  readonly pointsToPay: bigint
  /** End of the points that it earns; may have passed already, then they are granted and expire at once. */
  readonly pointsExpireAtMs: number
}

/** A sale with all its shares decided: what is left is to move the points. */
export interface PricedSale {
  readonly receiptId: string
  readonly occurredAtMs: number
  readonly lines: readonly PricedLine[]
  /** How its points came about. */
  readonly explanations: readonly Explanation[]
  readonly holdId: string
  readonly pointsExpireAtMs: number
}

/** A sale as posted, and all that a return of it needs. */
export interface SaleRecord {
  readonly receiptId: string
  readonly lines: readonly RecordedLine[]
  /** Of the programme that it used. */
  readonly pointValueMinor: bigint
  /** Lot that it granted; null when it earned nothing. */
  readonly lotId: string | null
  /** What paid for it, in the order of consumption. */
  readonly spendDraws: readonly Draw[]
  /** What its returns so far have taken back, by lot. */
  readonly reverseDraws: readonly Draw[]
  /** What its returns so far could not take back and made debt of. */
  readonly reverseDebt: bigint
}

/** A stored line of a sale. */
export interface RecordedLine extends PricedLine {
  /** Quantity returned so far. */
  readonly returned: bigint
}

/** What posting a sale came to. */
export interface SaleOutcome {
  readonly kind: 'sale'
  readonly sale: SaleRecord
  readonly earned: bigint
  readonly spent: bigint
  readonly totalMinor: bigint
  readonly explanations: readonly Explanation[]
}

/** Prices a sale and posts it. */
export function applySale(draft: Draft, command: SaleCommand, nowMs: number): SaleOutcome | Refusal {
  const limit = maxPointsForLines(command.lines, command.programme)
  if (command.pointsToPay > limit) return { ok: false, reason: 'points_exceed_receipt', limit }
  if (!isPayable(command.pointsToPay, command.programme)) return { ok: false, reason: 'points_not_payable', limit }
  const { receiptId, storeId, occurredAtMs, holdId, pointsExpireAtMs, programme, pointsToPay } = command
  const basket = priceLines(command.lines, programme, pointsToPay, { storeId, atMs: occurredAtMs })
  const priced = { receiptId, occurredAtMs, ...basket, holdId, pointsExpireAtMs }
  return applyPricedSale(draft, priced, command.programme.pointValueMinor, nowMs)
}

/** Posts a sale whose lines know their shares. */
export function applyPricedSale(
  draft: Draft,
  sale: PricedSale,
  pointValueMinor: bigint,
  nowMs: number,
): SaleOutcome | Refusal {
  const earned = sale.lines.reduce((sum, line) => sum + line.earned, 0n)
  const spent = sale.lines.reduce((sum, line) => sum + line.paid, 0n)
  let spendDraws: readonly Draw[] = []
  if (sale.holdId !== '') {
    const hold = openHold(draft, sale.holdId)
    if ('ok' in hold) return hold
    if (spent > hold.points) return { ok: false, reason: 'points_exceed_hold', points: hold.points }
    const cause = { kind: 'spend', id: sale.receiptId, occurredAtMs: sale.occurredAtMs, nowMs } as const
    spendDraws = captureHold(draft, hold, spent, cause)
  }
  const lotId = earned > 0n ? grant(draft, sale, earned, nowMs) : null
  return {
    kind: 'sale',
    sale: {
      receiptId: sale.receiptId,
      lines: sale.lines.map((line) => ({ ...line, returned: 0n })),
      pointValueMinor,
      lotId,
      spendDraws,
      reverseDraws: [],
      reverseDebt: 0n,
    },
    earned,
    spent,
    totalMinor: totalOf(sale.lines),
    explanations: sale.explanations,
  }
}

/** Grants a lot; what the member owes is paid out of it first. */
function grant(draft: Draft, sale: PricedSale, earned: bigint, nowMs: number): string {
  const lotId = draft.newId()
  const posting = openPosting('earn', sale.receiptId, sale.occurredAtMs)
  putLot(draft, {
    lotId,
    amount: earned,
    available: 0n,
    held: 0n,
    earnedAtMs: sale.occurredAtMs,
    expiresAtMs: sale.pointsExpireAtMs,
    receiptId: sale.receiptId,
    originLotId: null,
  })
  addSide(posting, 'issued', -earned)
  moveLot(draft, posting, { lotId, purpose: 'grant', available: earned, held: 0n })
  const repaid = smaller(draft.debt, earned)
  if (repaid > 0n) {
    moveLot(draft, posting, { lotId, purpose: 'repay', available: -repaid, held: 0n })
    moveDebt(posting, -repaid)
  }
  closePosting(draft, posting)
  draft.lifetimeEarned += earned
  expireLots(draft, nowMs)
  return lotId
}
