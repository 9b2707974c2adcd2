import { checkIdempotencyKey, checkUuid } from '@stampede/platform'
import { ReplaceGiftCardRequest, ReplaceGiftCardResponse } from '@stampede/proto/giftcards/v1'
import type { LedgerContext } from '../../context.ts'
import { replacedPosting } from '../../domain/gift-cards/books.ts'
import { replaceCard } from '../../domain/gift-cards/card.ts'
import { cardGraceEnd } from '../../domain/gift-cards/rules.ts'
import { giftCardMessage } from '../../gift-card-message.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { insertGiftCards } from '../../store/gift-cards/cards.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { done, openById, rulesNow, saveCard } from './desk.ts'
import { newIdentity } from './identity.ts'

/** Gives the money of a blocked card to a new one. */
export async function replaceGiftCard(
  context: LedgerContext,
  request: ReplaceGiftCardRequest,
): Promise<ReplaceGiftCardResponse> {
  const info = brandOf(context, request.brand)
  const { brand, timeZone } = info
  const key = checkIdempotencyKey(request.idempotencyKey)
  const cardId = checkUuid(request.cardId, 'card_id')
  const encoded = ReplaceGiftCardRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('giftcard.replace', encoded), method: 'giftcard.replace' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const nowMs = now.getTime()
    const { rules } = await rulesNow(context, tx, brand, nowMs)
    const { own: open } = await openById(tx, { brand, cardId }, nowMs)
    const replaced = done(replaceCard(open.card, newIdentity(rules), cardGraceEnd(nowMs, timeZone)))
    const { card, replacement } = replaced
    const stored = { brand, card: replacement, reason: '', version: 0n }
    await insertGiftCards(tx, [stored], now)
    await saveCard(tx, open, { card, postings: [replacedPosting(open.card, replacement, nowMs)] }, { info, now })
    await saveCard(tx, { stored, card: replacement, postings: [] }, { card: replacement, postings: [] }, { info, now })
    const answer = { card: giftCardMessage(replacement), code: replacement.code, pin: replacement.pin }
    const encodedAnswer = ReplaceGiftCardResponse.encode({ replacement: answer }).finish()
    return { response: encodedAnswer, causeId: replacement.cardId }
  })
  return ReplaceGiftCardResponse.decode(response)
}
