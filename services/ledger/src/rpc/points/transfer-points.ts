import { type CallContext, checkBigint, checkIdempotencyKey, checkUuid, invalidArgument } from '@stampede/platform'
import { TransferPointsRequest, TransferPointsResponse } from '@stampede/proto/points/v1'
import type { LedgerContext } from '../../context.ts'
import { brandOf, fingerprint, POINTS_MAX } from '../checks.ts'
import { submitOne } from '../submit.ts'

/** Gives points to another member. */
export async function transferPoints(
  context: LedgerContext,
  request: TransferPointsRequest,
  call: CallContext,
): Promise<TransferPointsResponse> {
  const { brand } = brandOf(context, request.brand)
  const memberId = checkUuid(request.memberId, 'member_id')
  const toMemberId = checkUuid(request.toMemberId, 'to_member_id')
  if (memberId === toMemberId) throw invalidArgument('to_member_id', 'must be another member')
  const response = await submitOne(context, {
    brand,
    memberId,
    idempotencyKey: checkIdempotencyKey(request.idempotencyKey),
    bodyHash: fingerprint('transfer', TransferPointsRequest.encode({ ...request, idempotencyKey: '' }).finish()),
    deadlineMs: call.deadline.getTime(),
    request: {
      kind: 'transfer',
      toMemberId,
      points: checkBigint(request.points, 'points', { min: 1n, max: POINTS_MAX }),
    },
  })
  return TransferPointsResponse.decode(response)
}
