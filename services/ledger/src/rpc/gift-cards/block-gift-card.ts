import { checkIdempotencyKey, checkText, checkUuid } from '@stampede/platform'
import { BlockGiftCardRequest, BlockGiftCardResponse } from '@stampede/proto/giftcards/v1'
import type { LedgerContext } from '../../context.ts'
import { blockCard } from '../../domain/gift-cards/card.ts'
import { giftCardMessage } from '../../gift-card-message.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { brandOf, fingerprint, REASON_CHARACTERS_MAX } from '../checks.ts'
import { done, openById, saveCard } from './desk.ts'

/** Makes a card unusable. */
export async function blockGiftCard(
  context: LedgerContext,
  request: BlockGiftCardRequest,
): Promise<BlockGiftCardResponse> {
  const info = brandOf(context, request.brand)
  const { brand } = info
  const key = checkIdempotencyKey(request.idempotencyKey)
  const cardId = checkUuid(request.cardId, 'card_id')
  const reason = checkText(request.reason, 'reason', { min: 1, max: REASON_CHARACTERS_MAX })
  const encoded = BlockGiftCardRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('giftcard.block', encoded), method: 'giftcard.block' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const { own: open } = await openById(tx, { brand, cardId }, now.getTime())
    const card = done(blockCard(open.card))
    const saved = await saveCard(tx, open, { card, postings: [], reason }, { info, now })
    return { response: BlockGiftCardResponse.encode({ card: giftCardMessage(saved) }).finish(), causeId: cardId }
  })
  return BlockGiftCardResponse.decode(response)
}
