import type { GiftCard as GiftCardMessage } from '@stampede/proto/giftcards/v1'
import { freeOf, type GiftCard, heldOf } from './domain/gift-cards/card.ts'

const CODE_END_CHARACTERS = 4

/** A settled card as callers see it. */
export function giftCardMessage(card: GiftCard): GiftCardMessage {
  return {
    cardId: card.cardId,
    codeEnd: card.code.slice(-CODE_END_CHARACTERS),
    batchId: card.batchId,
    state: shownState(card),
    valueMinor: card.valueMinor,
    availableMinor: card.state === 'active' ? freeOf(card) : 0n,
    heldMinor: heldOf(card),
    expiresAt: Number.isFinite(card.expiresAtMs) ? new Date(card.expiresAtMs) : undefined,
    replacedBy: card.replacedBy ?? '',
  }
}

/** State of a card as it is told: one that is active without money is empty. */
export function shownState({ state, balanceMinor }: GiftCard): string {
  return state === 'active' && balanceMinor === 0n ? 'empty' : state
}
