import { checkBigint, checkIdempotencyKey } from '@stampede/platform'
import { ReturnToGiftCardRequest, ReturnToGiftCardResponse } from '@stampede/proto/giftcards/v1'
import type { LedgerContext } from '../../context.ts'
import { heldPosting } from '../../domain/gift-cards/books.ts'
import { giveBackToCard, returnCommitted } from '../../domain/gift-cards/card.ts'
import { cardGraceEnd } from '../../domain/gift-cards/rules.ts'
import { giftCardMessage } from '../../gift-card-message.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { brandOf, fingerprint, POINTS_MAX } from '../checks.ts'
import { done, openByHold, saveCard } from './desk.ts'

/** Gives money of a captured hold back to the card, or to the one that took its place. */
export async function returnToGiftCard(
  context: LedgerContext,
  request: ReturnToGiftCardRequest,
): Promise<ReturnToGiftCardResponse> {
  const info = brandOf(context, request.brand)
  const { brand, timeZone } = info
  const { holdId } = request
  const key = checkIdempotencyKey(request.idempotencyKey)
  const amountMinor = checkBigint(request.amountMinor, 'amount_minor', { min: 1n, max: POINTS_MAX })
  const encoded = ReturnToGiftCardRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('giftcard.return', encoded), method: 'giftcard.return' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const occurredAtMs = now.getTime()
    const { own, live } = await openByHold(tx, brand, holdId, occurredAtMs)
    const graceEndMs = cardGraceEnd(occurredAtMs, timeZone)
    const marked = done(returnCommitted(own.card, holdId, amountMinor), 'hold_id')
    const reference = marked.holds.find((hold) => hold.holdId === holdId)?.reference ?? ''
    const { cardId } = live.card
    const postings = [heldPosting('gift_return', cardId, { amountMinor, holdId, reference, occurredAtMs })]
    const isReplaced = cardId !== marked.cardId
    if (isReplaced) await saveCard(tx, own, { card: marked, postings: [] }, { info, now })
    const card = giveBackToCard(isReplaced ? live.card : marked, amountMinor, graceEndMs)
    const saved = await saveCard(tx, live, { card, postings }, { info, now })
    return { response: ReturnToGiftCardResponse.encode({ card: giftCardMessage(saved) }).finish(), causeId: holdId }
  })
  return ReturnToGiftCardResponse.decode(response)
}
