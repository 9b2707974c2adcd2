import { checkInt, checkText, checkUuid } from '@stampede/platform'
import type { ListGiftCardsRequest, ListGiftCardsResponse } from '@stampede/proto/giftcards/v1'
import type { LedgerContext } from '../../context.ts'
import { settledCard } from '../../domain/gift-cards/books.ts'
import { giftCardMessage } from '../../gift-card-message.ts'
import { readBatch } from '../../store/gift-cards/cards.ts'
import { brandOf, idPattern } from '../checks.ts'

const PAGE_SIZE_MAX = 500
const PAGE_SIZE_DEFAULT = 50

/** Cards of a batch, oldest first. */
export async function listGiftCards(
  context: LedgerContext,
  request: ListGiftCardsRequest,
): Promise<ListGiftCardsResponse> {
  const { brand } = brandOf(context, request.brand)
  const batchId = checkText(request.batchId, 'batch_id', { min: 1, max: 40, pattern: idPattern })
  const asked = checkInt(request.pageSize, 'page_size', { min: 0, max: PAGE_SIZE_MAX })
  const limit = asked === 0 ? PAGE_SIZE_DEFAULT : asked
  const afterId = request.pageToken === '' ? null : checkUuid(request.pageToken, 'page_token')
  const found = await readBatch(context.database, { brand, batchId }, afterId, limit + 1)
  const page = found.slice(0, limit)
  const nowMs = context.clock.nowMs()
  return {
    cards: page.map(({ card }) => giftCardMessage(settledCard(card, nowMs).card)),
    nextPageToken: found.length > limit ? (page.at(-1)?.card.cardId ?? '') : '',
  }
}
