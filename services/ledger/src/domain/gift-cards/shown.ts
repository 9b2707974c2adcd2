import { timingSafeEqual } from 'node:crypto'
import type { GiftCard } from './card.ts'

/** Characters of a code that tell a guesser's series. */
const PREFIX_CHARACTERS = 5

/** Who shows a gift card, and how. */
export interface ShownGiftCard {
  readonly brand: string
  /** Normalized. */
  readonly code: string
  readonly pin: string
  /** Empty: not known. */
  readonly storeId: string
}

/** Names under which wrong codes are counted. */
export function missNames({ brand, code, storeId }: ShownGiftCard): readonly string[] {
  const prefix = `${brand} gift card ${code.slice(0, PREFIX_CHARACTERS)}`
  return storeId === '' ? [prefix] : [prefix, `${brand} gift card store ${storeId}`]
}

/** Whether somebody who shows a code and a PIN has this card. */
export function isOwnPin(card: GiftCard, pin: string): boolean {
  const own = Buffer.from(card.pin)
  const shown = Buffer.from(pin)
  return own.length === 0 || (own.length === shown.length && timingSafeEqual(own, shown))
}
