import { checkIdempotencyKey, checkPresent, invalidArgument } from '@stampede/platform'
import { PutReferralProgrammeRequest, PutReferralProgrammeResponse } from '@stampede/proto/referrals/v1'
import type { LedgerContext } from '../../context.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { insertReferralProgramme, readReferralProgramme } from '../../store/referrals/programmes.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { checkCampaigns, checkReferralProgramme } from './check-programme.ts'

const VERSIONS_MAX = 10_000

/** Publishes a version of the referral programme. */
export async function putReferralProgramme(
  context: LedgerContext,
  request: PutReferralProgrammeRequest,
): Promise<PutReferralProgrammeResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const message = checkPresent(request.programme, 'programme')
  checkReferralProgramme(message)
  const encoded = PutReferralProgrammeRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('referral.programme', encoded), method: 'referral.programme' }
  const response = await answerOnce(context, once, async (tx, now) => {
    await checkCampaigns(tx, brand, message)
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ledger.referral-programme.' || $1, 0))`, [brand])
    const version = ((await readReferralProgramme(tx, brand))?.version ?? 0) + 1
    if (version > VERSIONS_MAX) throw invalidArgument('programme', `has at most ${VERSIONS_MAX} versions`)
    await insertReferralProgramme(tx, brand, { version, message }, now)
    return { response: PutReferralProgrammeResponse.encode({ version }).finish(), causeId: null }
  })
  return PutReferralProgrammeResponse.decode(response)
}
