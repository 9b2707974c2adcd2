import { type CallContext, checkIdempotencyKey, checkUuid, notFound } from '@stampede/platform'
import { UndoDonationRequest, UndoDonationResponse } from '@stampede/proto/donations/v1'
import type { LedgerContext } from '../../context.ts'
import { readDonor } from '../../store/donations/donations.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { submitOne } from '../submit.ts'

/** Gives the points of a donation back. */
export async function undoDonation(
  context: LedgerContext,
  request: UndoDonationRequest,
  call: CallContext,
): Promise<UndoDonationResponse> {
  const { brand } = brandOf(context, request.brand)
  const idempotencyKey = checkIdempotencyKey(request.idempotencyKey)
  const donationId = checkUuid(request.donationId, 'donation_id')
  const memberId = await readDonor(context.database, brand, donationId)
  if (memberId === undefined) throw notFound()
  const response = await submitOne(context, {
    brand,
    memberId,
    idempotencyKey,
    bodyHash: fingerprint('undo', UndoDonationRequest.encode({ ...request, idempotencyKey: '' }).finish()),
    deadlineMs: call.deadline.getTime(),
    request: { kind: 'undo', donationId },
  })
  return UndoDonationResponse.decode(response)
}
