import type { Account } from '../account.ts'
import { piecesOf } from '../discounts/effects.ts'
import { type Goods, isOf, type SaleLine } from '../programme.ts'
import { allocate, smaller, sum } from '../shares.ts'

/** A stamp card of a programme. Stamps are points of a currency of their own. */
export interface StampCard {
  readonly cardId: string
  /** Undefined: all goods. */
  readonly goods: Goods | undefined
  /** Empty: all stores. */
  readonly stores: ReadonlySet<string>
  /** Half open, Unix milliseconds; infinite where there is no end. */
  readonly fromMs: number
  readonly untilMs: number
  /** A stamp for each so much money of a receipt; undefined: one for each piece. */
  readonly amountMinor: bigint | undefined
  /** Stamps that fill the card, at least 2. */
  readonly target: bigint
  /** Most stamps of a receipt; undefined: no limit. */
  readonly receiptLimit: bigint | undefined
  /** Campaign of the coupon that a full card gives; undefined: a piece of the goods for nothing. */
  readonly rewardCampaignId: string | undefined
  /** Further days that stamps live; 0: for ever. */
  readonly liveDays: number
  readonly funder: string
}

/** A card as a receipt meets it. */
export interface ShownCard {
  readonly card: StampCard
  /** Stamps that a full card can be made of before this receipt, less what is owed. */
  readonly stamps: bigint
  /** Whether this receipt's stamps have a life before them: those of a late receipt may have ended. */
  readonly isLive: boolean
}

/** Pieces that a card gives for nothing. */
export interface FreePieces {
  /** Of each line. */
  readonly pieces: readonly bigint[]
  /** Their price of each line, minor units. */
  readonly parts: readonly bigint[]
}

/** A line as the stamps of a receipt see it. A line of which some pieces were free is two. */
export interface StampLine {
  /** Of the receipt. */
  readonly lineIndex: number
  /** Positive. */
  readonly quantity: bigint
  /** Stamps that it gave. */
  readonly earned: bigint
  /** Stamps that its pieces cost, as they were free. */
  readonly paid: bigint
}

const PREFIX = 'stamps-'

/** Currency of a card's stamps. */
export function stampCurrency(cardId: string): string {
  return `${PREFIX}${cardId}`
}

/** Card of a currency of stamps. */
export function cardOf(currency: string): string {
  return currency.slice(PREFIX.length)
}

/** Whether a card holds for a receipt. */
export function isShown({ stores, fromMs, untilMs }: StampCard, storeId: string, atMs: number): boolean {
  return (stores.size === 0 || stores.has(storeId)) && atMs >= fromMs && atMs < untilMs
}

/** Stamps that count for a full card. */
export function countedStamps({ available, debt }: Pick<Account, 'available' | 'debt'>): bigint {
  return available - debt
}

/** The cheapest pieces that the card gives for nothing: a piece gives a stamp unless the card was full before it. */
export function freePieces({ card, stamps, isLive }: ShownCard, lines: readonly SaleLine[]): FreePieces {
  const none = lines.map(() => 0n)
  if (card.rewardCampaignId !== undefined || card.amountMinor !== undefined) return { pieces: none, parts: none }
  const own = ownLines(card, lines)
  const all = piecesOf(own.map(({ line }) => line)).toReversed()
  const free = all.slice(0, Number(freeCount(card, BigInt(all.length), stamps, isLive)))
  const pieces = [...none]
  const parts = [...none]
  for (const { line, minor } of free) {
    const index = own[line]?.index ?? 0
    pieces[index] = (pieces[index] ?? 0n) + 1n
    parts[index] = (parts[index] ?? 0n) + minor
  }
  return { pieces, parts }
}

/** How many of so many pieces are free: each takes a full card, all others fill it. */
function freeCount({ target, receiptLimit }: StampCard, pieces: bigint, stamps: bigint, isLive: boolean): bigint {
  if (!isLive) return stamps < target ? 0n : smaller(stamps / target, pieces)
  const filled = (stamps + pieces) / (target + 1n)
  const limited = receiptLimit === undefined ? filled : smaller(filled, (stamps + receiptLimit) / target)
  return limited > 0n ? smaller(limited, pieces) : 0n
}

/** The stamps of a receipt's lines after all discounts. */
export function stampLines(card: StampCard, lines: readonly SaleLine[], free: FreePieces): readonly StampLine[] {
  const own = ownLines(card, lines, free)
  const pieces = own.map(({ line, index }) => line.quantity - (free.pieces[index] ?? 0n))
  const weights = card.amountMinor === undefined ? pieces : own.map(({ line }) => line.amountMinor)
  const all = sum(weights) / (card.amountMinor ?? 1n)
  const earned = allocate(card.receiptLimit === undefined ? all : smaller(all, card.receiptLimit), weights)
  return own.flatMap(({ index }, at): StampLine[] => {
    const given = free.pieces[index] ?? 0n
    const stamped = { lineIndex: index, quantity: pieces[at] ?? 0n, earned: earned[at] ?? 0n, paid: 0n }
    const gift = { lineIndex: index, quantity: given, earned: 0n, paid: given * card.target }
    return [stamped, gift].filter(({ quantity }) => quantity > 0n)
  })
}

interface OwnLine {
  readonly line: SaleLine
  readonly index: number
}

/** Lines of the card's goods that cost something, or did before they were free. */
function ownLines(card: StampCard, lines: readonly SaleLine[], free?: FreePieces): readonly OwnLine[] {
  return lines.flatMap((line, index) => {
    const isPriced = line.amountMinor > 0n || (free?.pieces[index] ?? 0n) > 0n
    const isOwn = card.goods === undefined || isOf(card.goods, line)
    return isPriced && isOwn ? [{ line, index }] : []
  })
}
