import { checkIdempotencyKey } from '@stampede/platform'
import { CancelGiftCardHoldRequest, CancelGiftCardHoldResponse } from '@stampede/proto/giftcards/v1'
import type { LedgerContext } from '../../context.ts'
import { cancelCardHold } from '../../domain/gift-cards/card.ts'
import { giftCardMessage } from '../../gift-card-message.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { done, openByHold, saveCard } from './desk.ts'

/** Gives a hold up. */
export async function cancelGiftCardHold(
  context: LedgerContext,
  request: CancelGiftCardHoldRequest,
): Promise<CancelGiftCardHoldResponse> {
  const info = brandOf(context, request.brand)
  const { brand } = info
  const { holdId } = request
  const key = checkIdempotencyKey(request.idempotencyKey)
  const encoded = CancelGiftCardHoldRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('giftcard.cancel', encoded), method: 'giftcard.cancel' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const { own: open } = await openByHold(tx, brand, holdId, now.getTime())
    const card = done(cancelCardHold(open.card, holdId), 'hold_id')
    const saved = await saveCard(tx, open, { card, postings: [] }, { info, now })
    return { response: CancelGiftCardHoldResponse.encode({ card: giftCardMessage(saved) }).finish(), causeId: holdId }
  })
  return CancelGiftCardHoldResponse.decode(response)
}
