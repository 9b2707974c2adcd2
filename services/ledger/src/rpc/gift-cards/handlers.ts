import type { Handlers } from '@stampede/platform'
import type { GiftCardServiceService } from '@stampede/proto/giftcards/v1'
import type { LedgerContext } from '../../context.ts'
import { activateGiftCard } from './activate-gift-card.ts'
import { blockGiftCard } from './block-gift-card.ts'
import { cancelGiftCardHold } from './cancel-gift-card-hold.ts'
import { commitGiftCardHold } from './commit-gift-card-hold.ts'
import { getGiftCardBalance } from './get-gift-card-balance.ts'
import { getGiftCardMovement } from './get-gift-card-movement.ts'
import { holdGiftCard } from './hold-gift-card.ts'
import { issueGiftCards } from './issue-gift-cards.ts'
import { listGiftCards } from './list-gift-cards.ts'
import { refundGiftCard } from './refund-gift-card.ts'
import { reloadGiftCard } from './reload-gift-card.ts'
import { replaceGiftCard } from './replace-gift-card.ts'
import { returnToGiftCard } from './return-to-gift-card.ts'

/** All methods about gift cards over one context. */
export function giftCardHandlers(context: LedgerContext): Handlers<typeof GiftCardServiceService> {
  return {
    issueGiftCards: (request) => issueGiftCards(context, request),
    activateGiftCard: (request) => activateGiftCard(context, request),
    reloadGiftCard: (request) => reloadGiftCard(context, request),
    getGiftCardBalance: (request) => getGiftCardBalance(context, request),
    holdGiftCard: (request) => holdGiftCard(context, request),
    commitGiftCardHold: (request) => commitGiftCardHold(context, request),
    cancelGiftCardHold: (request) => cancelGiftCardHold(context, request),
    returnToGiftCard: (request) => returnToGiftCard(context, request),
    blockGiftCard: (request) => blockGiftCard(context, request),
    replaceGiftCard: (request) => replaceGiftCard(context, request),
    refundGiftCard: (request) => refundGiftCard(context, request),
    listGiftCards: (request) => listGiftCards(context, request),
    getGiftCardMovement: (request) => getGiftCardMovement(context, request),
  }
}
