import { checkBigint, checkIdempotencyKey } from '@stampede/platform'
import { CommitGiftCardHoldRequest, CommitGiftCardHoldResponse } from '@stampede/proto/giftcards/v1'
import type { LedgerContext } from '../../context.ts'
import { heldPosting } from '../../domain/gift-cards/books.ts'
import { commitCardHold } from '../../domain/gift-cards/card.ts'
import { giftCardMessage } from '../../gift-card-message.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { brandOf, fingerprint, POINTS_MAX } from '../checks.ts'
import { done, openByHold, saveCard } from './desk.ts'

/** Captures a hold outside of a receipt. */
export async function commitGiftCardHold(
  context: LedgerContext,
  request: CommitGiftCardHoldRequest,
): Promise<CommitGiftCardHoldResponse> {
  const info = brandOf(context, request.brand)
  const { brand } = info
  const { holdId } = request
  const key = checkIdempotencyKey(request.idempotencyKey)
  const amountMinor = checkBigint(request.amountMinor, 'amount_minor', { min: 1n, max: POINTS_MAX })
  const encoded = CommitGiftCardHoldRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('giftcard.commit', encoded), method: 'giftcard.commit' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const occurredAtMs = now.getTime()
    const { own: open } = await openByHold(tx, brand, holdId, occurredAtMs)
    const card = done(commitCardHold(open.card, holdId, { amountMinor, receiptId: undefined }), 'hold_id')
    const reference = card.holds.find((hold) => hold.holdId === holdId)?.reference ?? ''
    const postings = [heldPosting('gift_use', card.cardId, { amountMinor, holdId, reference, occurredAtMs })]
    const saved = await saveCard(tx, open, { card, postings }, { info, now })
    return { response: CommitGiftCardHoldResponse.encode({ card: giftCardMessage(saved) }).finish(), causeId: holdId }
  })
  return CommitGiftCardHoldResponse.decode(response)
}
