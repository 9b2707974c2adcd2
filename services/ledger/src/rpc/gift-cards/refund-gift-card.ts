import { checkIdempotencyKey } from '@stampede/platform'
import { RefundGiftCardRequest, RefundGiftCardResponse } from '@stampede/proto/giftcards/v1'
import type { LedgerContext } from '../../context.ts'
import { refundedPosting } from '../../domain/gift-cards/books.ts'
import { refundCard } from '../../domain/gift-cards/card.ts'
import { giftCardMessage } from '../../gift-card-message.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { readTendersOf } from '../../store/money.ts'
import { fingerprint } from '../checks.ts'
import { checkShown, done, openShown, saveCard } from './desk.ts'

/** Pays a card back that has never paid for anything. */
export async function refundGiftCard(
  context: LedgerContext,
  request: RefundGiftCardRequest,
): Promise<RefundGiftCardResponse> {
  const { info, shown } = checkShown(context, request)
  const { brand } = info
  const key = checkIdempotencyKey(request.idempotencyKey)
  const encoded = RefundGiftCardRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('giftcard.refund', encoded), method: 'giftcard.refund' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const nowMs = now.getTime()
    const open = await openShown(context, tx, shown, nowMs)
    const { cardId } = open.card
    const card = done(refundCard(open.card))
    const tenders = await readTendersOf(tx, brand, cardId)
    const postings = [refundedPosting(open.card, tenders, nowMs)]
    const saved = await saveCard(tx, open, { card, postings }, { info, now })
    const answer = { card: giftCardMessage(saved), tenders: [...tenders] }
    return { response: RefundGiftCardResponse.encode(answer).finish(), causeId: cardId }
  })
  return RefundGiftCardResponse.decode(response)
}
