import assert from 'node:assert/strict'
import { addSide, chooseLots, closePosting, type Draft, drawn, openPosting, takeDraws } from '../draft.ts'
import type { ReturnedLine } from '../return.ts'
import { type EarnedTerm, earnLot, type RecordedLine, type SaleRecord } from '../sale.ts'
import { smaller, sum } from '../shares.ts'
import { countedStamps, type StampLine } from './card.ts'

/** Stamp a card for a receipt. */
export interface StampCommand {
  readonly kind: 'stamp'
  readonly receiptId: string
  readonly occurredAtMs: number
  readonly lines: readonly StampLine[]
  readonly term: EarnedTerm
  /** Stamps that a full card takes for a coupon; undefined: coupons are not what it gives. */
  readonly couponTarget: bigint | undefined
  readonly funder: string
}

/** What stamping came to. */
export interface StampOutcome {
  readonly kind: 'stamp'
  readonly sale: SaleRecord
  readonly earned: bigint
  /** Taken for free pieces and coupons. */
  readonly spent: bigint
  /** Coupons that full cards have given. */
  readonly coupons: bigint
}

/** All that is owed is repaid: a stamp is not money. */
const REPAY_BASIS_POINTS = 10_000n

/** Gives the receipt's stamps, then takes what full cards cost: what is free now may be paid by stamps of now. */
export function applyStamp(draft: Draft, command: StampCommand, nowMs: number): StampOutcome {
  const { receiptId, occurredAtMs, term: earnedTerm, lines, funder, couponTarget } = command
  const earned = sum(lines.map((line) => line.earned))
  const policies = { funder, repayBasisPoints: REPAY_BASIS_POINTS }
  const lotId =
    earned > 0n ? earnLot(draft, { receiptId, occurredAtMs, earnedTerm }, earned, { policies, nowMs }) : null
  const paid = sum(lines.map((line) => line.paid))
  const spendDraws = spend(draft, command, paid)
  const counted = countedStamps(draft)
  const coupons = couponTarget === undefined || counted < couponTarget ? 0n : counted / couponTarget
  spend(draft, command, coupons * (couponTarget ?? 0n))
  const sale = { receiptId, lotId, spendDraws, pointValueMinor: 0n, lines: lines.map(recorded) }
  return {
    kind: 'stamp',
    sale: { ...sale, reverseDraws: [], reverseDebt: 0n, reversePending: 0n },
    earned,
    spent: paid + coupons * (couponTarget ?? 0n),
    coupons,
  }
}

function spend(draft: Draft, { receiptId, occurredAtMs }: StampCommand, stamps: bigint) {
  const draws = chooseLots(draft.lots.values(), stamps)
  assert.equal(drawn(draws), stamps, 'a full card has its stamps')
  const posting = openPosting('spend', receiptId, occurredAtMs)
  takeDraws(draft, posting, draws, 'spend')
  addSide(posting, 'redeemed', stamps)
  closePosting(draft, posting)
  return draws
}

function recorded({ quantity, earned, paid }: StampLine): RecordedLine {
  return { sku: '', category: '', quantity, amountMinor: 0n, discountMinor: 0n, earned, paid, returned: 0n }
}

/**
 * Lines of a receipt that come back, as lines of its stamps: of one that has both the paid pieces come back first.
 * `lineIndexes` says to which line of the receipt each belongs.
 */
export function stampReturn(
  lines: readonly RecordedLine[],
  lineIndexes: readonly number[],
  returned: readonly ReturnedLine[],
): readonly ReturnedLine[] {
  const rest = lines.map((line) => line.quantity - line.returned)
  return returned.flatMap(({ lineIndex, quantity }) => {
    let open = quantity
    return lineIndexes.flatMap((own, at): ReturnedLine[] => {
      const taken = own === lineIndex ? smaller(open, rest[at] ?? 0n) : 0n
      if (taken === 0n) return []
      open -= taken
      rest[at] = (rest[at] ?? 0n) - taken
      return [{ lineIndex: at, quantity: taken }]
    })
  })
}
