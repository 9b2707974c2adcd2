import { checkBigint, checkIdempotencyKey, checkText, invalidArgument } from '@stampede/platform'
import { ActivateGiftCardRequest, ActivateGiftCardResponse } from '@stampede/proto/giftcards/v1'
import type { LedgerContext } from '../../context.ts'
import { soldPosting } from '../../domain/gift-cards/books.ts'
import { activateCard } from '../../domain/gift-cards/card.ts'
import { cardEnd } from '../../domain/gift-cards/rules.ts'
import { giftCardMessage } from '../../gift-card-message.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { fingerprint, POINTS_MAX } from '../checks.ts'
import { checkShown, done, openUnsold, REFERENCE_CHARACTERS, rulesNow, saveCard, TENDER_CHARACTERS } from './desk.ts'

/** Sells a card. */
export async function activateGiftCard(
  context: LedgerContext,
  request: ActivateGiftCardRequest,
): Promise<ActivateGiftCardResponse> {
  const { info, shown } = checkShown(context, request)
  const { brand, timeZone } = info
  const key = checkIdempotencyKey(request.idempotencyKey)
  const amountMinor = checkBigint(request.amountMinor, 'amount_minor', { min: 1n, max: POINTS_MAX })
  const tender = checkText(request.tender, 'tender', TENDER_CHARACTERS)
  const reference = checkText(request.reference, 'reference', REFERENCE_CHARACTERS)
  const encoded = ActivateGiftCardRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('giftcard.activate', encoded), method: 'giftcard.activate' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const occurredAtMs = now.getTime()
    const { rules } = await rulesNow(context, tx, brand, occurredAtMs)
    const open = await openUnsold(context, tx, shown, occurredAtMs)
    const { cardId, valueMinor } = open.card
    if (amountMinor !== valueMinor) throw invalidArgument('amount_minor', `the card is sold for ${valueMinor}`)
    const card = done(activateCard(open.card, cardEnd(rules, occurredAtMs, timeZone)))
    const postings = [soldPosting('gift_sale', cardId, { amountMinor, tender, reference, occurredAtMs })]
    const saved = await saveCard(tx, open, { card, postings }, { info, now })
    return {
      response: ActivateGiftCardResponse.encode({ card: giftCardMessage(saved) }).finish(),
      causeId: cardId,
    }
  })
  return ActivateGiftCardResponse.decode(response)
}
