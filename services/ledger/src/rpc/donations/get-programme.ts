import { notFound } from '@stampede/platform'
import type { GetDonationProgrammeRequest, GetDonationProgrammeResponse } from '@stampede/proto/donations/v1'
import type { LedgerContext } from '../../context.ts'
import { readDonationProgramme } from '../../store/donations/programmes.ts'
import { brandOf } from '../checks.ts'

/** The version in force. */
export async function getDonationProgramme(
  context: LedgerContext,
  request: GetDonationProgrammeRequest,
): Promise<GetDonationProgrammeResponse> {
  const { brand } = brandOf(context, request.brand)
  const stored = await readDonationProgramme(context.database, brand)
  if (stored === undefined) throw notFound()
  return { programme: stored.message, version: stored.version }
}
