import { checkIdempotencyKey, checkText, notFound } from '@stampede/platform'
import { RecordReferralTouchRequest, RecordReferralTouchResponse } from '@stampede/proto/referrals/v1'
import type { LedgerContext } from '../../context.ts'
import { isOwnCode, normalizeCode } from '../../domain/coupons/codes.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { insertTouch, readAdvocate } from '../../store/referrals/people.ts'
import { brandOf, fingerprint } from '../checks.ts'

const CODE_CHARACTERS = { min: 10, max: 64 }
const VISITOR_CHARACTERS_MAX = 128

/** Notes that a visitor came by a member's code. */
export async function recordReferralTouch(
  context: LedgerContext,
  request: RecordReferralTouchRequest,
): Promise<RecordReferralTouchResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const code = checkCode(request.code)
  const visitor = checkVisitor(request.visitor)
  const encoded = RecordReferralTouchRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('referral.touch', encoded), method: 'referral.touch' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const advocateId = await readAdvocate(tx, brand, code)
    if (advocateId === undefined) throw notFound()
    await insertTouch(tx, brand, visitor, { advocateId, touchedAtMs: now.getTime() })
    return { response: RecordReferralTouchResponse.encode({}).finish(), causeId: null }
  })
  return RecordReferralTouchResponse.decode(response)
}

/** A referral code as it is stored; NOT_FOUND for one that nobody can have. */
export function checkCode(text: string): string {
  const code = normalizeCode(checkText(text, 'code', CODE_CHARACTERS))
  if (!isOwnCode(code)) throw notFound()
  return code
}

/** What a visitor is known by. */
export function checkVisitor(text: string): string {
  return checkText(text, 'visitor', { min: 16, max: VISITOR_CHARACTERS_MAX })
}
