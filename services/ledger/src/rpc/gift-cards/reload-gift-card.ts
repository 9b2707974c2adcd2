import { checkBigint, checkIdempotencyKey, checkText } from '@stampede/platform'
import { ReloadGiftCardRequest, ReloadGiftCardResponse } from '@stampede/proto/giftcards/v1'
import type { LedgerContext } from '../../context.ts'
import { soldPosting } from '../../domain/gift-cards/books.ts'
import { reloadCard } from '../../domain/gift-cards/card.ts'
import { cardEnd } from '../../domain/gift-cards/rules.ts'
import { giftCardMessage } from '../../gift-card-message.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { fingerprint, POINTS_MAX } from '../checks.ts'
import { checkShown, done, openShown, REFERENCE_CHARACTERS, rulesNow, saveCard, TENDER_CHARACTERS } from './desk.ts'

/** Puts more money on a card. */
export async function reloadGiftCard(
  context: LedgerContext,
  request: ReloadGiftCardRequest,
): Promise<ReloadGiftCardResponse> {
  const { info, shown } = checkShown(context, request)
  const { brand, timeZone } = info
  const key = checkIdempotencyKey(request.idempotencyKey)
  const amountMinor = checkBigint(request.amountMinor, 'amount_minor', { min: 1n, max: POINTS_MAX })
  const tender = checkText(request.tender, 'tender', TENDER_CHARACTERS)
  const reference = checkText(request.reference, 'reference', REFERENCE_CHARACTERS)
  const encoded = ReloadGiftCardRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('giftcard.reload', encoded), method: 'giftcard.reload' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const occurredAtMs = now.getTime()
    const { rules } = await rulesNow(context, tx, brand, occurredAtMs)
    const open = await openShown(context, tx, shown, occurredAtMs)
    const { cardId } = open.card
    const terms = { mostMinor: rules.reloadMostMinor, expiresAtMs: cardEnd(rules, occurredAtMs, timeZone) }
    const card = done(reloadCard(open.card, amountMinor, terms))
    const postings = [soldPosting('gift_reload', cardId, { amountMinor, tender, reference, occurredAtMs })]
    const saved = await saveCard(tx, open, { card, postings }, { info, now })
    return { response: ReloadGiftCardResponse.encode({ card: giftCardMessage(saved) }).finish(), causeId: cardId }
  })
  return ReloadGiftCardResponse.decode(response)
}
