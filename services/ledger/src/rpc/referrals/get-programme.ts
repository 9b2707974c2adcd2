import { notFound } from '@stampede/platform'
import type { GetReferralProgrammeRequest, GetReferralProgrammeResponse } from '@stampede/proto/referrals/v1'
import type { LedgerContext } from '../../context.ts'
import { readReferralProgramme } from '../../store/referrals/programmes.ts'
import { brandOf } from '../checks.ts'

/** The version in force. */
export async function getReferralProgramme(
  context: LedgerContext,
  request: GetReferralProgrammeRequest,
): Promise<GetReferralProgrammeResponse> {
  const { brand } = brandOf(context, request.brand)
  const stored = await readReferralProgramme(context.database, brand)
  if (stored === undefined) throw notFound()
  return { programme: stored.message, version: stored.version }
}
