import { type Draw, emptyLot } from './account.ts'
import type { DiscountedBasket } from './discounts/basket.ts'
import {
  addSide,
  chooseLots,
  closePosting,
  type Draft,
  drawn,
  moveLot,
  openPosting,
  putLot,
  takeDraws,
} from './draft.ts'
import type { Explanation } from './earn.ts'
import { captureHold, openHold } from './hold.ts'
import { isPayable, maxPointsForLines, type PricedLine, priceLines, totalOf } from './pricing.ts'
import type { Programme } from './programme.ts'
import type { Refusal } from './refusal.ts'
import { expireLots, repayFrom } from './settle.ts'
import { smaller, sum } from './shares.ts'

/** Post a sale: use its hold, grant its points. */
export interface SaleCommand {
  readonly kind: 'sale'
  readonly receiptId: string
  readonly storeId: string
  /** At the till, Unix milliseconds. */
  readonly occurredAtMs: number
  /** After discounts. */
  readonly basket: DiscountedBasket
  /** The version in force when the receipt occurred. */
  readonly programme: Programme
  /** Empty for none. */
  readonly holdId: string
  /** Zero without a hold, unless the till had no connection. */
  readonly pointsToPay: bigint
  /** The till had no connection: most points that the ledger may take without a hold; left out for other tills. */
  readonly offlineLimit?: bigint
  /** The base so many times, by the member's tier before this receipt, in hundredths. */
  readonly tierHundredths: bigint
  /** What the receipt carries; undefined: nothing. */
  readonly tags?: ReadonlySet<string>
  readonly earnedTerm: EarnedTerm
  /** Where the purchase moves the end of all live points to, for a programme of which points end without purchases. */
  readonly slidesToMs: number | undefined
}

/** From when to when the points of a sale can be spent. */
export interface EarnedTerm {
  /** May have passed already; infinite: when somebody says so. */
  readonly activatesAtMs: number
  /** May have passed already, then they are granted and expire at once. */
  readonly expiresAtMs: number
}

/** A sale with all its shares decided: what is left is to move the points. */
export interface PricedSale {
  readonly receiptId: string
  readonly occurredAtMs: number
  readonly lines: readonly PricedLine[]
  /** How its points came about. */
  readonly explanations: readonly Explanation[]
  readonly holdId: string
  readonly earnedTerm: EarnedTerm
  /** As in SaleCommand. */
  readonly offlineLimit?: bigint
}

/** What a sale's programme says about its points from then on. */
export type SalePolicies = Pick<
  Programme,
  'pointValueMinor' | 'returnPolicy' | 'repayBasisPoints' | 'debtLimit' | 'funder' | 'spendUntilMs'
>

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
  /** What its returns so far have taken back before it was spendable. */
  readonly reversePending: bigint
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
  /** Points that the customer of a till without a connection paid with and did not have. */
  readonly short: bigint
  readonly totalMinor: bigint
  readonly discountMinor: bigint
  readonly explanations: readonly Explanation[]
}

/** Prices a sale and posts it. */
export function applySale(draft: Draft, command: SaleCommand, nowMs: number): SaleOutcome | Refusal {
  const limit = maxPointsForLines(command.basket.lines, command.programme)
  if (command.pointsToPay > limit) return { ok: false, reason: 'points_exceed_receipt', limit }
  if (!isPayable(command.pointsToPay, command.programme)) return { ok: false, reason: 'points_not_payable', limit }
  const { receiptId, storeId, occurredAtMs, holdId, earnedTerm, programme, pointsToPay } = command
  if (command.slidesToMs !== undefined) slideLots(draft, command, command.slidesToMs)
  const basket = priceLines(command.basket, programme, pointsToPay, {
    storeId,
    atMs: occurredAtMs,
    tierHundredths: command.tierHundredths,
    tags: command.tags ?? new Set(),
  })
  const offline = command.offlineLimit === undefined ? {} : { offlineLimit: command.offlineLimit }
  const priced = { receiptId, occurredAtMs, ...basket, holdId, earnedTerm, ...offline }
  return applyPricedSale(draft, priced, command.programme, nowMs)
}

/** Posts a sale whose lines know their shares. */
export function applyPricedSale(
  draft: Draft,
  sale: PricedSale,
  policies: SalePolicies,
  nowMs: number,
): SaleOutcome | Refusal {
  const earned = sale.lines.reduce((sum, line) => sum + line.earned, 0n)
  const paid = sale.lines.reduce((sum, line) => sum + line.paid, 0n)
  let spendDraws: readonly Draw[] = sale.offlineLimit === undefined ? [] : spendOffline(draft, sale, paid)
  if (sale.holdId !== '') {
    const hold = openHold(draft, sale.holdId)
    if ('ok' in hold) return hold
    if (paid > hold.points) return { ok: false, reason: 'points_exceed_hold', points: hold.points }
    const cause = { kind: 'spend', id: sale.receiptId, occurredAtMs: sale.occurredAtMs, nowMs } as const
    spendDraws = captureHold(draft, hold, paid, cause)
  }
  const spent = drawn(spendDraws)
  const lotId = earned > 0n ? earnLot(draft, sale, earned, { policies, nowMs }) : null
  return {
    kind: 'sale',
    sale: {
      receiptId: sale.receiptId,
      lines: sale.lines.map((line) => ({ ...line, returned: 0n })),
      pointValueMinor: policies.pointValueMinor,
      lotId,
      spendDraws,
      reverseDraws: [],
      reverseDebt: 0n,
      reversePending: 0n,
    },
    earned,
    spent,
    short: paid - spent,
    totalMinor: totalOf(sale.lines),
    discountMinor: sum(sale.lines.map((line) => line.discountMinor)),
    explanations: sale.explanations,
  }
}

/**
 * Takes what points have paid without a hold, as far as the member has them and the limit goes: the customer has had the
 * goods, so what is missing is nobody's refusal any more.
 */
function spendOffline(
  draft: Draft,
  { receiptId, occurredAtMs, offlineLimit = 0n }: PricedSale,
  paid: bigint,
): readonly Draw[] {
  const draws = chooseLots(draft.lots.values(), smaller(paid, offlineLimit))
  const posting = openPosting('spend', receiptId, occurredAtMs)
  takeDraws(draft, posting, draws, 'spend')
  addSide(posting, 'redeemed', drawn(draws))
  closePosting(draft, posting)
  return draws
}

/** Moves the end of live lots, never to an earlier instant; a posting without entries says so in the history. */
function slideLots(draft: Draft, { receiptId, occurredAtMs }: SaleCommand, slidesToMs: number): void {
  const posting = openPosting('extend', receiptId, occurredAtMs)
  for (const lot of [...draft.lots.values()]) {
    if (lot.available + lot.held === 0n || lot.expiresAtMs >= slidesToMs) continue
    putLot(draft, { ...lot, expiresAtMs: slidesToMs })
    moveLot(draft, posting, { lotId: lot.lotId, purpose: 'extend' })
  }
  closePosting(draft, posting)
}

/** Grants a lot of what a receipt earned; what the member owes is paid out of it as soon as it is spendable. */
export function earnLot(
  draft: Draft,
  sale: Pick<PricedSale, 'receiptId' | 'occurredAtMs' | 'earnedTerm'>,
  earned: bigint,
  { policies, nowMs }: { readonly policies: Pick<SalePolicies, 'funder' | 'repayBasisPoints'>; readonly nowMs: number },
): string {
  const lotId = draft.newId()
  const { activatesAtMs, expiresAtMs } = sale.earnedTerm
  const isPending = activatesAtMs > nowMs
  const posting = openPosting('earn', sale.receiptId, sale.occurredAtMs)
  const { funder, repayBasisPoints } = policies
  putLot(
    draft,
    emptyLot({
      lotId,
      amount: earned,
      earnedAtMs: sale.occurredAtMs,
      activatesAtMs,
      expiresAtMs,
      causeId: sale.receiptId,
      funder,
      repayBasisPoints,
    }),
  )
  addSide(posting, 'issued', -earned)
  moveLot(draft, posting, { lotId, purpose: 'grant', [isPending ? 'pending' : 'available']: earned })
  if (!isPending) repayFrom(draft, posting, lotId, earned)
  closePosting(draft, posting)
  draft.lifetimeEarned += earned
  expireLots(draft, nowMs)
  return lotId
}
