import { checkBigint, checkIdempotencyKey, checkInt, checkText, uuidv7 } from '@stampede/platform'
import { HoldGiftCardRequest, HoldGiftCardResponse } from '@stampede/proto/giftcards/v1'
import type { LedgerContext } from '../../context.ts'
import { holdOnCard } from '../../domain/gift-cards/card.ts'
import { giftCardMessage } from '../../gift-card-message.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { fingerprint, POINTS_MAX } from '../checks.ts'
import { checkShown, done, openShown, REFERENCE_CHARACTERS, rulesNow, saveCard } from './desk.ts'

const TTL_SECONDS_MAX = 86_400

/** Keeps money of a card for a basket. */
export async function holdGiftCard(
  context: LedgerContext,
  request: HoldGiftCardRequest,
): Promise<HoldGiftCardResponse> {
  const { info, shown } = checkShown(context, request)
  const { brand } = info
  const key = checkIdempotencyKey(request.idempotencyKey)
  const amountMinor = checkBigint(request.amountMinor, 'amount_minor', { min: 1n, max: POINTS_MAX })
  const reference = checkText(request.reference, 'reference', REFERENCE_CHARACTERS)
  const asked = checkInt(request.ttlSeconds, 'ttl_seconds', { min: 0, max: TTL_SECONDS_MAX })
  const encoded = HoldGiftCardRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('giftcard.hold', encoded), method: 'giftcard.hold' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const createdAtMs = now.getTime()
    const { programme } = await rulesNow(context, tx, brand, createdAtMs)
    const expiresAtMs = createdAtMs + (asked === 0 ? programme.holdSeconds : asked) * 1_000
    const open = await openShown(context, tx, shown, createdAtMs)
    const holdId = uuidv7()
    const card = done(holdOnCard(open.card, { holdId, reference, amountMinor, createdAtMs, expiresAtMs }))
    const saved = await saveCard(tx, open, { card, postings: [] }, { info, now })
    const answer = { holdId, expiresAt: new Date(expiresAtMs), card: giftCardMessage(saved) }
    return { response: HoldGiftCardResponse.encode(answer).finish(), causeId: holdId }
  })
  return HoldGiftCardResponse.decode(response)
}
