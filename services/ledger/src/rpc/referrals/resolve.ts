import { type CallContext, checkIdempotencyKey, checkUuid, failedPrecondition, notFound } from '@stampede/platform'
import { ResolveReferralRequest, ResolveReferralResponse } from '@stampede/proto/referrals/v1'
import type { LedgerContext } from '../../context.ts'
import type { Referral } from '../../domain/referrals/referral.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { lockReferral, writeReferral } from '../../store/referrals/referrals.ts'
import { readRewards, releaseRewards, revokeRewards } from '../../store/referrals/rewards.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { referralMessage } from './referral-state.ts'

/** Approves or rejects a referral that waits for a person's look. */
export async function resolveReferral(
  context: LedgerContext,
  request: ResolveReferralRequest,
  call: CallContext,
): Promise<ResolveReferralResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const referralId = checkUuid(request.referralId, 'referral_id')
  const encoded = ResolveReferralRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('referral.resolve', encoded), method: 'referral.resolve' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const referral = await lockReferral(tx, brand, referralId)
    if (referral === undefined) throw notFound()
    if (referral.review !== 'waiting') throw failedPrecondition('nobody has to look at this referral')
    const resolved: Referral = request.approve
      ? { ...referral, review: 'approved' }
      : { ...referral, review: 'rejected', state: 'cancelled' }
    if (request.approve) await releaseRewards(tx, brand, referralId)
    else await revokeRewards(tx, brand, referralId, now)
    await writeReferral(tx, resolved, call.caller.keyId)
    const answer = { referral: referralMessage(resolved, await readRewards(tx, brand, [referralId])) }
    return { response: ResolveReferralResponse.encode(answer).finish(), causeId: referralId }
  })
  return ResolveReferralResponse.decode(response)
}
