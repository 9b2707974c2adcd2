import { sum } from '../shares.ts'

/**
 * What a card is: sold only once it is active. An active one without money is shown as empty, and opens again when money
 * comes back to it.
 */
export type GiftCardState = 'issued' | 'active' | 'blocked' | 'expired' | 'refunded'

/** A gift card with its open holds, and those that the work on it resolves. */
export interface GiftCard {
  readonly cardId: string
  /** Normalized. */
  readonly code: string
  /** Six digits; empty for a card without. As secret as the code beside which it is stored. */
  readonly pin: string
  readonly batchId: string
  /** What it is sold for, minor units. */
  readonly valueMinor: bigint
  readonly state: GiftCardState
  /** Money on it, minor units; open holds hold a part of it. */
  readonly balanceMinor: bigint
  /** Whether it was ever active. */
  readonly isSold: boolean
  /** Whether it has ever paid for something. */
  readonly isUsed: boolean
  /** First instant at which it is unusable; infinite: never, or not active yet. */
  readonly expiresAtMs: number
  /** Card that took its place; undefined: none. */
  readonly replacedBy: string | undefined
  readonly holds: readonly GiftCardHold[]
}

/** Money of a card that is promised to a basket. */
export interface GiftCardHold {
  readonly holdId: string
  readonly reference: string
  readonly amountMinor: bigint
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly state: 'open' | 'committed' | 'cancelled' | 'expired'
  readonly committedMinor: bigint
  /** Of what was committed: given back to the card. */
  readonly returnedMinor: bigint
  /** Receipt that captured it; undefined: none. */
  readonly receiptId: string | undefined
}

/** Open holds of a card at most. */
export const OPEN_HOLDS_MAX = 50

/** Why a card does not do it; nothing is changed then. */
export type GiftCardRefusal = {
  readonly ok: false
  readonly reason: /** Nobody may learn more: it is not sold yet, blocked, or paid back. */
    | 'invalid'
    | 'expired'
    | 'insufficient'
    | 'not_reloadable'
    | 'used'
    | 'not_blocked'
    | 'not_blockable'
    | 'too_many_holds'
    | 'hold_not_found'
    | 'hold_expired'
    | 'hold_resolved'
    | 'exceeds_hold'
    | 'exceeds_payment'
}

/** What time took off a card. */
export interface Breakage {
  readonly atMs: number
  readonly amountMinor: bigint
}

/** Money that no hold holds, minor units. */
export function freeOf({ balanceMinor, holds }: Pick<GiftCard, 'balanceMinor' | 'holds'>): bigint {
  return balanceMinor - heldOf({ holds })
}

/** Money that open holds hold, minor units. */
export function heldOf({ holds }: Pick<GiftCard, 'holds'>): bigint {
  return sum(holds.filter(({ state }) => state === 'open').map(({ amountMinor }) => amountMinor))
}

/**
 * What time alone has done to a card by `nowMs`: holds whose deadline has passed give their money back; of a card that has
 * ended what is free is breakage, dated at its end or, if that is later, at the end of the hold.
 */
export function settleCard(card: GiftCard, nowMs: number): { readonly card: GiftCard; readonly breakages: Breakage[] } {
  const breakages: Breakage[] = []
  let settled = card
  const due = card.holds.filter(({ state, expiresAtMs }) => state === 'open' && expiresAtMs <= nowMs)
  for (const hold of due.toSorted((left, right) => left.expiresAtMs - right.expiresAtMs)) {
    settled = endCard(settled, hold.expiresAtMs, breakages)
    settled = resolve(settled, { ...hold, state: 'expired' })
    settled = endCard(settled, hold.expiresAtMs, breakages, hold.expiresAtMs)
  }
  return { card: endCard(settled, nowMs, breakages), breakages }
}

function endCard(card: GiftCard, untilMs: number, breakages: Breakage[], notBeforeMs = 0): GiftCard {
  const isOver = (card.state === 'active' || card.state === 'expired') && card.expiresAtMs <= untilMs
  if (!isOver) return card
  const amountMinor = freeOf(card)
  if (amountMinor > 0n) breakages.push({ atMs: Math.max(card.expiresAtMs, notBeforeMs), amountMinor })
  return { ...card, state: 'expired', balanceMinor: card.balanceMinor - amountMinor }
}

/** Sells a card: its value is on it from now on. */
export function activateCard(card: GiftCard, expiresAtMs: number): GiftCard | GiftCardRefusal {
  if (card.state !== 'issued') return refused('invalid')
  return { ...card, state: 'active', isSold: true, balanceMinor: card.valueMinor, expiresAtMs }
}

/** Puts more money on a card, which begins its term anew. */
export function reloadCard(
  card: GiftCard,
  amountMinor: bigint,
  { mostMinor, expiresAtMs }: { readonly mostMinor: bigint; readonly expiresAtMs: number },
): GiftCard | GiftCardRefusal {
  const unusable = unusableOf(card)
  if (unusable !== undefined) return refused(unusable)
  if (card.balanceMinor + amountMinor > mostMinor) return refused('not_reloadable')
  return { ...card, balanceMinor: card.balanceMinor + amountMinor, expiresAtMs }
}

/** Takes money off a card. */
export function payByCard(card: GiftCard, amountMinor: bigint): GiftCard | GiftCardRefusal {
  const unusable = unusableOf(card)
  if (unusable !== undefined) return refused(unusable)
  if (amountMinor > freeOf(card)) return refused('insufficient')
  return { ...card, balanceMinor: card.balanceMinor - amountMinor, isUsed: true }
}

/** Keeps money of a card for a basket, instead of an open hold for the same. */
export function holdOnCard(
  card: GiftCard,
  hold: Pick<GiftCardHold, 'holdId' | 'reference' | 'amountMinor' | 'createdAtMs' | 'expiresAtMs'>,
): GiftCard | GiftCardRefusal {
  const unusable = unusableOf(card)
  if (unusable !== undefined) return refused(unusable)
  const earlier = card.holds.find(({ state, reference }) => state === 'open' && reference === hold.reference)
  const freed = earlier === undefined ? card : resolve(card, { ...earlier, state: 'cancelled' })
  if (hold.amountMinor > freeOf(freed)) return refused('insufficient')
  if (freed.holds.filter(({ state }) => state === 'open').length >= OPEN_HOLDS_MAX) return refused('too_many_holds')
  const opened = { ...hold, state: 'open', committedMinor: 0n, returnedMinor: 0n, receiptId: undefined } as const
  return { ...freed, holds: [...freed.holds, opened] }
}

/** Takes money of a hold off the card, also of one that has ended meanwhile; the rest of the hold is free again. */
export function commitCardHold(
  card: GiftCard,
  holdId: string,
  { amountMinor, receiptId }: { readonly amountMinor: bigint; readonly receiptId: string | undefined },
): GiftCard | GiftCardRefusal {
  const hold = openHold(card, holdId)
  if ('ok' in hold) return hold
  if (amountMinor > hold.amountMinor) return refused('exceeds_hold')
  const resolved = resolve(card, { ...hold, state: 'committed', committedMinor: amountMinor, receiptId })
  return { ...resolved, balanceMinor: card.balanceMinor - amountMinor, isUsed: true }
}

/** Gives a hold up. */
export function cancelCardHold(card: GiftCard, holdId: string): GiftCard | GiftCardRefusal {
  const hold = openHold(card, holdId)
  return 'ok' in hold ? hold : resolve(card, { ...hold, state: 'cancelled' })
}

/** Puts money back that the card has paid; one that has expired lives until `graceEndMs` again. */
export function giveBackToCard(card: GiftCard, amountMinor: bigint, graceEndMs: number): GiftCard {
  const balanceMinor = card.balanceMinor + amountMinor
  if (card.state !== 'expired') return { ...card, balanceMinor }
  return { ...card, balanceMinor, state: 'active', expiresAtMs: graceEndMs }
}

/** Notes on a hold that captured money outside of a receipt that some of it is given back. */
export function returnCommitted(card: GiftCard, holdId: string, amountMinor: bigint): GiftCard | GiftCardRefusal {
  const hold = card.holds.find((one) => one.holdId === holdId)
  if (hold?.state !== 'committed' || hold.receiptId !== undefined) return refused('hold_not_found')
  const returnedMinor = hold.returnedMinor + amountMinor
  if (returnedMinor > hold.committedMinor) return refused('exceeds_payment')
  return resolve(card, { ...hold, returnedMinor })
}

/** Makes a card unusable, as when it is lost; its open holds are given up, its money stays on it. */
export function blockCard(card: GiftCard): GiftCard | GiftCardRefusal {
  if (card.state !== 'issued' && card.state !== 'active') return refused('not_blockable')
  const holds = card.holds.map((hold) => (hold.state === 'open' ? ({ ...hold, state: 'cancelled' } as const) : hold))
  return { ...card, state: 'blocked', holds }
}

/** Gives the money of a blocked card to a new one; a card that was never sold has none to give. */
export function replaceCard(
  card: GiftCard,
  identity: Pick<GiftCard, 'cardId' | 'code' | 'pin'>,
  graceEndMs: number,
): { readonly card: GiftCard; readonly replacement: GiftCard } | GiftCardRefusal {
  if (card.state !== 'blocked' || !card.isSold || card.replacedBy !== undefined) return refused('not_blocked')
  const expiresAtMs = Math.max(card.expiresAtMs, graceEndMs)
  const replacement: GiftCard = { ...card, ...identity, state: 'active', expiresAtMs, holds: [] }
  return { card: { ...card, balanceMinor: 0n, replacedBy: identity.cardId }, replacement }
}

/** Pays a card back that has never paid for anything. */
export function refundCard(card: GiftCard): GiftCard | GiftCardRefusal {
  const unusable = unusableOf(card)
  if (unusable !== undefined) return refused(unusable)
  if (card.isUsed || heldOf(card) > 0n) return refused('used')
  return { ...card, state: 'refunded', balanceMinor: 0n }
}

function unusableOf({ state }: GiftCard): 'invalid' | 'expired' | undefined {
  if (state === 'active') return undefined
  return state === 'expired' ? 'expired' : 'invalid'
}

function openHold(card: GiftCard, holdId: string): GiftCardHold | GiftCardRefusal {
  const hold = card.holds.find((one) => one.holdId === holdId)
  if (hold === undefined) return refused('hold_not_found')
  if (hold.state === 'open') return hold
  return refused(hold.state === 'expired' ? 'hold_expired' : 'hold_resolved')
}

function resolve(card: GiftCard, hold: GiftCardHold): GiftCard {
  return { ...card, holds: card.holds.map((one) => (one.holdId === hold.holdId ? hold : one)) }
}

function refused(reason: GiftCardRefusal['reason']): GiftCardRefusal {
  return { ok: false, reason }
}
