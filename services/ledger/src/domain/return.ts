import type { Draw, Lot } from './account.ts'
import {
  addSide,
  chooseLots,
  closePosting,
  type Draft,
  drawn,
  lotOf,
  moveDebt,
  moveLot,
  type OpenPosting,
  openPosting,
  putLot,
  smaller,
  takeDraws,
} from './draft.ts'
import type { Refusal } from './refusal.ts'
import type { RecordedLine, SaleRecord } from './sale.ts'

/** Return lines of a sale. */
export interface ReturnCommand {
  readonly kind: 'return'
  /** Id of the return as a receipt of its own. */
  readonly receiptId: string
  readonly occurredAtMs: number
  readonly sale: SaleRecord
  readonly lines: readonly ReturnedLine[]
  /** End of points restored to a lot that has ended meanwhile. */
  readonly graceExpiresAtMs: number
}

/** How much of a line comes back. */
export interface ReturnedLine {
  /** Index in the sale, from 0. */
  readonly lineIndex: number
  /** Positive. */
  readonly quantity: bigint
}

/** What a return came to. */
export interface ReturnOutcome {
  readonly kind: 'return'
  /** The sale with what is returned now. */
  readonly sale: SaleRecord
  /** Money part of the returned lines, minor units. */
  readonly refundMinor: bigint
  readonly restored: bigint
  readonly reversed: bigint
  /** Change of the debt that this sale's returns have made. */
  readonly debt: bigint
}

/** Money, spent points and earned points that belong to what is returned of a line or a sale. */
export interface Share {
  readonly moneyMinor: bigint
  readonly paid: bigint
  readonly earned: bigint
}

/**
 * Restores the points that paid for the lines, and only then takes back what they earned: the other order would make a
 * debt out of points that come back in the same moment. What earlier returns of the sale took from lots and made debt
 * of is taken anew together with this one's, so that any split of a return at one instant ends as one full return.
 */
export function applyReturn(draft: Draft, command: ReturnCommand, nowMs: number): ReturnOutcome | Refusal {
  const { sale } = command
  const lines = markReturned(sale.lines, command.lines)
  if ('ok' in lines) return lines
  const before = sharesOf(sale.lines, sale.pointValueMinor)
  const after = sharesOf(lines, sale.pointValueMinor)
  const restored = after.paid - before.paid
  const reversed = after.earned - before.earned

  const posting = openPosting('return', command.receiptId, command.occurredAtMs)
  addSide(posting, 'redeemed', -restored)
  addSide(posting, 'issued', reversed)
  for (const draw of drawsToRestore(sale.spendDraws, before.paid, restored))
    restoreDraw(draft, posting, draw, command, nowMs)
  const reversal = reverse(draft, posting, sale, reversed, nowMs)
  closePosting(draft, posting)
  draft.lifetimeEarned -= reversed
  return {
    kind: 'return',
    sale: { ...sale, lines, reverseDraws: reversal.draws, reverseDebt: sale.reverseDebt + reversal.debt },
    refundMinor: after.moneyMinor - before.moneyMinor,
    restored,
    reversed,
    debt: reversal.debt,
  }
}

function markReturned(lines: readonly RecordedLine[], returned: readonly ReturnedLine[]): RecordedLine[] | Refusal {
  const marked = [...lines]
  for (const { lineIndex, quantity } of returned) {
    const line = marked[lineIndex]
    if (line === undefined) return { ok: false, reason: 'line_not_found', lineIndex }
    if (line.returned + quantity > line.quantity) return { ok: false, reason: 'return_exceeds_sale', lineIndex }
    marked[lineIndex] = { ...line, returned: line.returned + quantity }
  }
  return marked
}

/** Share of all that is returned of a line; rounded down over the whole returned quantity, so splits do not matter. */
export function shareOf(line: RecordedLine, pointValueMinor: bigint): Share {
  const { returned, quantity } = line
  return {
    moneyMinor: ((line.amountMinor - line.paid * pointValueMinor) * returned) / quantity,
    paid: (line.paid * returned) / quantity,
    earned: (line.earned * returned) / quantity,
  }
}

function sharesOf(lines: readonly RecordedLine[], pointValueMinor: bigint): Share {
  let sum: Share = { moneyMinor: 0n, paid: 0n, earned: 0n }
  for (const line of lines) {
    if (line.returned === 0n) continue
    const share = shareOf(line, pointValueMinor)
    sum = {
      moneyMinor: sum.moneyMinor + share.moneyMinor,
      paid: sum.paid + share.paid,
      earned: sum.earned + share.earned,
    }
  }
  return sum
}

/** The next `points` from the end of the order of consumption, after `already` were restored. */
function drawsToRestore(spendDraws: readonly Draw[], already: bigint, points: bigint): readonly Draw[] {
  const draws: Draw[] = []
  let skip = already
  let open = points
  for (const { lotId, points: spent } of spendDraws.toReversed()) {
    const skipped = smaller(spent, skip)
    skip -= skipped
    const left = spent - skipped
    const taken = smaller(left, open)
    if (taken > 0n) draws.push({ lotId, points: taken })
    open -= taken
  }
  return draws
}

function restoreDraw(draft: Draft, posting: OpenPosting, draw: Draw, command: ReturnCommand, nowMs: number): void {
  const lot = lotOf(draft, draw.lotId)
  const target = lot.expiresAtMs > nowMs ? lot : graceLot(draft, lot, draw.points, command)
  moveLot(draft, posting, { lotId: target.lotId, purpose: 'restore', available: draw.points, held: 0n })
}

/** One grace lot per ended lot, sale and end, so that returns in parts make no more lots than one return. */
function graceLot(draft: Draft, ended: Lot, points: bigint, command: ReturnCommand): Lot {
  const { graceExpiresAtMs, sale } = command
  for (const lot of draft.lots.values()) {
    if (lot.originLotId !== ended.lotId || lot.receiptId !== sale.receiptId) continue
    if (lot.expiresAtMs !== graceExpiresAtMs) continue
    const larger = { ...lot, amount: lot.amount + points }
    putLot(draft, larger)
    return larger
  }
  const lot: Lot = {
    lotId: draft.newId(),
    amount: points,
    available: 0n,
    held: 0n,
    earnedAtMs: ended.earnedAtMs,
    expiresAtMs: graceExpiresAtMs,
    receiptId: sale.receiptId,
    originLotId: ended.lotId,
  }
  putLot(draft, lot)
  return lot
}

/** Takes points back: own lot, then the other lots first to expire first, then debt. */
function reverse(
  draft: Draft,
  posting: OpenPosting,
  sale: SaleRecord,
  reversed: bigint,
  nowMs: number,
): { readonly draws: readonly Draw[]; readonly debt: bigint } {
  const kept: Draw[] = []
  let open = reversed
  for (const draw of sale.reverseDraws) {
    if (lotOf(draft, draw.lotId).expiresAtMs <= nowMs) {
      kept.push(draw)
      continue
    }
    moveLot(draft, posting, { lotId: draw.lotId, purpose: 'reverse', available: draw.points, held: 0n })
    open += draw.points
  }
  const forgiven = smaller(draft.debt, sale.reverseDebt)
  open += forgiven
  const draws = chooseForReversal(draft, sale.lotId, open)
  takeDraws(draft, posting, draws, 'reverse')
  const debt = open - drawn(draws) - forgiven
  moveDebt(posting, debt)
  return { draws: [...kept, ...draws], debt }
}

function chooseForReversal(draft: Draft, ownLotId: string | null, points: bigint): readonly Draw[] {
  const own = ownLotId === null ? undefined : draft.lots.get(ownLotId)
  const first = own === undefined ? [] : chooseLots([own], points)
  const others = [...draft.lots.values()].filter((lot) => lot.lotId !== ownLotId)
  return [...first, ...chooseLots(others, points - drawn(first))]
}
