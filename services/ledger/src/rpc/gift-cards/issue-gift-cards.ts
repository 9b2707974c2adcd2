import { checkBigint, checkIdempotencyKey, checkInt, checkText, invalidArgument } from '@stampede/platform'
import { IssueGiftCardsRequest, IssueGiftCardsResponse } from '@stampede/proto/giftcards/v1'
import type { LedgerContext } from '../../context.ts'
import { giftCardMessage } from '../../gift-card-message.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { insertGiftCards, type StoredGiftCard } from '../../store/gift-cards/cards.ts'
import { brandOf, fingerprint, idPattern, POINTS_MAX } from '../checks.ts'
import { rulesNow } from './desk.ts'
import { newIdentity } from './identity.ts'

const CARDS_MAX = 1_000

/** Makes gift cards that are not sold yet. */
export async function issueGiftCards(
  context: LedgerContext,
  request: IssueGiftCardsRequest,
): Promise<IssueGiftCardsResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const batchId = checkText(request.batchId, 'batch_id', { min: 1, max: 40, pattern: idPattern })
  const valueMinor = checkBigint(request.valueMinor, 'value_minor', { min: 1n, max: POINTS_MAX })
  const count = checkInt(request.count, 'count', { min: 1, max: CARDS_MAX })
  const encoded = IssueGiftCardsRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('giftcard.issue', encoded), method: 'giftcard.issue' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const { rules } = await rulesNow(context, tx, brand, now.getTime())
    if (!rules.valuesMinor.includes(valueMinor)) throw invalidArgument('value_minor', 'is no value of the programme')
    const cards = Array.from({ length: count }, (): StoredGiftCard => {
      const unsold = { state: 'issued', balanceMinor: 0n, isSold: false, isUsed: false, replacedBy: undefined } as const
      const card = { ...newIdentity(rules), batchId, valueMinor, ...unsold, expiresAtMs: Number.POSITIVE_INFINITY }
      return { brand, card: { ...card, holds: [] }, reason: '', version: 1n }
    })
    await insertGiftCards(tx, cards, now)
    const messages = cards.map(({ card }) => ({ card: giftCardMessage(card), code: card.code, pin: card.pin }))
    return { response: IssueGiftCardsResponse.encode({ cards: messages }).finish(), causeId: null }
  })
  return IssueGiftCardsResponse.decode(response)
}
