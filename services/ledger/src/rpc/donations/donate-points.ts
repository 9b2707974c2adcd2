import {
  type CallContext,
  checkBigint,
  checkIdempotencyKey,
  checkUuid,
  failedPrecondition,
  invalidArgument,
} from '@stampede/platform'
import { DonatePointsRequest, DonatePointsResponse } from '@stampede/proto/donations/v1'
import type { LedgerContext } from '../../context.ts'
import { donatedMoney } from '../../domain/donations/donation.ts'
import { donationProgrammeOf } from '../../donation-message.ts'
import { readDonationProgramme } from '../../store/donations/programmes.ts'
import { brandOf, fingerprint, POINTS_MAX } from '../checks.ts'
import { submitOne } from '../submit.ts'
import { checkFundId } from './check-programme.ts'

/** Sets points aside for a fund. */
export async function donatePoints(
  context: LedgerContext,
  request: DonatePointsRequest,
  call: CallContext,
): Promise<DonatePointsResponse> {
  const { brand } = brandOf(context, request.brand)
  const idempotencyKey = checkIdempotencyKey(request.idempotencyKey)
  const memberId = checkUuid(request.memberId, 'member_id')
  const fundId = checkFundId(request.fundId, 'fund_id')
  const points = checkBigint(request.points, 'points', { min: 1n, max: POINTS_MAX })
  const stored = await readDonationProgramme(context.database, brand)
  if (stored === undefined) throw failedPrecondition('the brand takes no donations')
  const { fundIds, leastPoints, undoSeconds, version, ...rates } = donationProgrammeOf(stored.message, stored.version)
  if (!fundIds.has(fundId)) throw invalidArgument('fund_id', 'is not a fund of the programme')
  if (points < leastPoints) throw invalidArgument('points', `must be at least ${leastPoints}`)
  const response = await submitOne(context, {
    brand,
    memberId,
    idempotencyKey,
    bodyHash: fingerprint('donate', DonatePointsRequest.encode({ ...request, idempotencyKey: '' }).finish()),
    deadlineMs: call.deadline.getTime(),
    request: { kind: 'donate', points, fundId, money: donatedMoney(points, rates), version, undoSeconds },
  })
  return DonatePointsResponse.decode(response)
}
