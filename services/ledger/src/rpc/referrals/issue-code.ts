import { checkIdempotencyKey, checkUuid } from '@stampede/platform'
import { IssueReferralCodeRequest, IssueReferralCodeResponse } from '@stampede/proto/referrals/v1'
import type { LedgerContext } from '../../context.ts'
import { randomCode } from '../../issue-coupons.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { ensureCode } from '../../store/referrals/people.ts'
import { brandOf, fingerprint } from '../checks.ts'

/** The code that a member passes on. */
export async function issueReferralCode(
  context: LedgerContext,
  request: IssueReferralCodeRequest,
): Promise<IssueReferralCodeResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const memberId = checkUuid(request.memberId, 'member_id')
  const encoded = IssueReferralCodeRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('referral.code', encoded), method: 'referral.code' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const code = await ensureCode(tx, brand, memberId, randomCode(), now)
    return { response: IssueReferralCodeResponse.encode({ code }).finish(), causeId: null }
  })
  return IssueReferralCodeResponse.decode(response)
}
