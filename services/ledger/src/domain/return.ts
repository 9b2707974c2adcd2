import { type Draw, emptyLot, type Lot } from './account.ts'
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
  takeDraws,
} from './draft.ts'
import type { PostingKind } from './posting.ts'
import type { Programme } from './programme.ts'
import type { Refusal } from './refusal.ts'
import type { RecordedLine, SaleRecord } from './sale.ts'
import { expireLots } from './settle.ts'
import { larger, smaller, sum } from './shares.ts'

/** Return lines of a sale. */
export interface ReturnCommand {
  readonly kind: 'return'
  /** Id of the return as a receipt of its own. */
  readonly receiptId: string
  readonly occurredAtMs: number
  readonly sale: SaleRecord
  readonly lines: readonly ReturnedLine[]
  /** End of points restored to a lot that has ended meanwhile; undefined: they end at once. */
  readonly graceExpiresAtMs: number | undefined
  /** The version that the sale used. */
  readonly policies: Programme
  /** What its posting is called; by default a return. */
  readonly postingKind?: PostingKind
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
  /** Lots that they had come from. */
  readonly restoredDraws: readonly Draw[]
  /** Of the restored points: not given back, as the programme is over. */
  readonly writtenOff: bigint
  /** Points taken back, by the policy not more than the sale earned on the lines. */
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
  // What the customer of a till without a connection did not have counts as spent last, so it comes back first: as nothing.
  const short = shortOf(sale)
  const restoredBefore = larger(before.paid - short, 0n)
  const restored = larger(after.paid - short, 0n) - restoredBefore

  const posting = openPosting(command.postingKind ?? 'return', command.receiptId, command.occurredAtMs)
  addSide(posting, 'redeemed', -restored)
  const isOver = command.policies.spendUntilMs <= nowMs
  if (isOver) addSide(posting, 'adjusted', restored)
  const restoring = isOver ? [] : drawsToRestore(sale.spendDraws, restoredBefore, restored)
  for (const draw of restoring) restoreDraw(draft, posting, draw, command, nowMs)
  const reversal = reverse(draft, posting, command, after.earned, nowMs)
  const reversed = takenOf(reversal) - takenOf(sale)
  addSide(posting, 'issued', reversed)
  closePosting(draft, posting)
  draft.lifetimeEarned -= reversed
  expireLots(draft, nowMs, nowMs)
  return {
    kind: 'return',
    sale: { ...sale, lines, ...reversal },
    refundMinor: after.moneyMinor - before.moneyMinor,
    restored,
    restoredDraws: restoring,
    writtenOff: isOver ? restored : 0n,
    reversed,
    debt: reversal.reverseDebt - sale.reverseDebt,
  }
}

/** What returns of a sale have taken back so far. */
type Reversal = Pick<SaleRecord, 'reverseDraws' | 'reverseDebt' | 'reversePending'>

function takenOf({ reverseDraws, reverseDebt, reversePending }: Reversal): bigint {
  return drawn(reverseDraws) + reverseDebt + reversePending
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

/** Money of a line that the brand keeps. */
export function keptMoney(line: RecordedLine, pointValueMinor: bigint): bigint {
  return line.amountMinor - line.paid * pointValueMinor - shareOf(line, pointValueMinor).moneyMinor
}

/** Money of a sale that the brand keeps: what points paid for and what came back is taken off. */
export function keptOf({ lines, pointValueMinor }: SaleRecord): bigint {
  return sum(lines.map((line) => keptMoney(line, pointValueMinor)))
}

function sharesOf(lines: readonly RecordedLine[], pointValueMinor: bigint): Share {
  let shares: Share = { moneyMinor: 0n, paid: 0n, earned: 0n }
  for (const line of lines) {
    if (line.returned === 0n) continue
    const share = shareOf(line, pointValueMinor)
    shares = {
      moneyMinor: shares.moneyMinor + share.moneyMinor,
      paid: shares.paid + share.paid,
      earned: shares.earned + share.earned,
    }
  }
  return shares
}

function shortOf({ lines, spendDraws }: SaleRecord): bigint {
  return sum(lines.map(({ paid }) => paid)) - drawn(spendDraws)
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
  const { graceExpiresAtMs } = command
  const isKept = lot.expiresAtMs > nowMs || graceExpiresAtMs === undefined
  const target = isKept ? lot : graceLot(draft, lot, draw.points, { sale: command.sale, graceExpiresAtMs })
  moveLot(draft, posting, { lotId: target.lotId, purpose: 'restore', available: draw.points })
}

/** One grace lot per ended lot, sale and end, so that returns in parts make no more lots than one return. */
function graceLot(
  draft: Draft,
  ended: Lot,
  points: bigint,
  { sale, graceExpiresAtMs }: { readonly sale: SaleRecord; readonly graceExpiresAtMs: number },
): Lot {
  for (const lot of draft.lots.values()) {
    if (lot.originLotId !== ended.lotId || lot.causeId !== sale.receiptId) continue
    if (lot.expiresAtMs !== graceExpiresAtMs) continue
    const larger = { ...lot, amount: lot.amount + points }
    putLot(draft, larger)
    return larger
  }
  const { earnedAtMs, activatesAtMs, lotId: originLotId, funder, repayBasisPoints } = ended
  const lot = emptyLot({
    lotId: draft.newId(),
    amount: points,
    earnedAtMs,
    activatesAtMs,
    expiresAtMs: graceExpiresAtMs,
    causeId: sale.receiptId,
    originLotId,
    funder,
    repayBasisPoints,
  })
  putLot(draft, lot)
  return lot
}

/**
 * Takes back up to `wanted` points in all: from what is pending of the own lot, its spendable part, the other lots first
 * to expire first, then debt; as far as the policy goes. What earlier returns took is given back first and taken anew,
 * but for what they took from the pending part or from lots that have ended. Debt that they made stays, even if there is
 * no more room for it now.
 */
function reverse(
  draft: Draft,
  posting: OpenPosting,
  { sale, policies }: ReturnCommand,
  wanted: bigint,
  nowMs: number,
): Reversal {
  const kept: Draw[] = []
  for (const draw of sale.reverseDraws) {
    if (lotOf(draft, draw.lotId).expiresAtMs <= nowMs) {
      kept.push(draw)
      continue
    }
    moveLot(draft, posting, { lotId: draw.lotId, purpose: 'reverse', available: draw.points })
  }
  const mayMakeDebt = policies.returnPolicy === 'unlimited' && policies.spendUntilMs > nowMs
  const forgiven = mayMakeDebt ? smaller(draft.debt, sale.reverseDebt) : 0n
  const repaid = sale.reverseDebt - forgiven
  let open = wanted - sale.reversePending - drawn(kept) - repaid
  const pending = takePending(draft, posting, sale.lotId, open)
  open -= pending
  const draws =
    policies.returnPolicy === 'only_pending' ? [] : chooseForReversal(draft, sale.lotId, { points: open, nowMs })
  takeDraws(draft, posting, draws, 'reverse')
  open -= drawn(draws)
  const room = policies.debtLimit === undefined ? open : roomFor(draft.debt, policies.debtLimit) + forgiven
  const debt = mayMakeDebt ? smaller(open, room) : 0n
  moveDebt(posting, debt - forgiven)
  return {
    reverseDraws: [...kept, ...draws],
    reverseDebt: repaid + debt,
    reversePending: sale.reversePending + pending,
  }
}

function roomFor(debt: bigint, limit: bigint): bigint {
  return limit > debt ? limit - debt : 0n
}

function takePending(draft: Draft, posting: OpenPosting, lotId: string | null, points: bigint): bigint {
  if (lotId === null) return 0n
  const pending = smaller(lotOf(draft, lotId).pending, points)
  if (pending > 0n) moveLot(draft, posting, { lotId, purpose: 'reverse', pending: -pending })
  return pending
}

/** Points that end at this very moment end: they pay nothing back. */
function chooseForReversal(
  draft: Draft,
  ownLotId: string | null,
  { points, nowMs }: { readonly points: bigint; readonly nowMs: number },
): readonly Draw[] {
  const live = [...draft.lots.values()].filter((lot) => lot.expiresAtMs > nowMs)
  const first = chooseLots(
    live.filter((lot) => lot.lotId === ownLotId),
    points,
  )
  const others = live.filter((lot) => lot.lotId !== ownLotId)
  return [...first, ...chooseLots(others, points - drawn(first))]
}
