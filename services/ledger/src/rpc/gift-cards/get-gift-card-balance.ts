import type { GetGiftCardBalanceRequest, GetGiftCardBalanceResponse } from '@stampede/proto/giftcards/v1'
import type { LedgerContext } from '../../context.ts'
import { settledCard } from '../../domain/gift-cards/books.ts'
import { giftCardMessage } from '../../gift-card-message.ts'
import { readGiftCard } from '../../store/gift-cards/cards.ts'
import { checkShown, findShown } from './desk.ts'

/** What is on a card, to whom shows its code and PIN. */
export async function getGiftCardBalance(
  context: LedgerContext,
  request: GetGiftCardBalanceRequest,
): Promise<GetGiftCardBalanceResponse> {
  const { shown } = checkShown(context, request)
  const nowMs = context.clock.nowMs()
  const lookedFor = { states: ['active', 'expired'], nowMs } as const
  const { card } = await findShown(context, shown, lookedFor, () => readGiftCard(context.database, shown))
  return { card: giftCardMessage(settledCard(card, nowMs).card) }
}
