import {
  type CallContext,
  checkBigint,
  checkIdempotencyKey,
  checkText,
  checkUuid,
  invalidArgument,
} from '@stampede/platform'
import { AdjustPointsRequest, AdjustPointsResponse } from '@stampede/proto/points/v1'
import type { LedgerContext } from '../../context.ts'
import { brandOf, fingerprint, POINTS_MAX, REASON_CHARACTERS_MAX } from '../checks.ts'
import { submitOne } from '../submit.ts'

/** Corrects a balance by hand. */
export async function adjustPoints(
  context: LedgerContext,
  request: AdjustPointsRequest,
  call: CallContext,
): Promise<AdjustPointsResponse> {
  const { brand } = brandOf(context, request.brand)
  const points = checkBigint(request.points, 'points', { min: -POINTS_MAX, max: POINTS_MAX })
  if (points === 0n) throw invalidArgument('points', 'must not be 0')
  const response = await submitOne(context, {
    brand,
    memberId: checkUuid(request.memberId, 'member_id'),
    idempotencyKey: checkIdempotencyKey(request.idempotencyKey),
    bodyHash: fingerprint('adjust', AdjustPointsRequest.encode({ ...request, idempotencyKey: '' }).finish()),
    deadlineMs: call.deadline.getTime(),
    request: {
      kind: 'adjust',
      points,
      reason: checkText(request.reason, 'reason', { min: 1, max: REASON_CHARACTERS_MAX }),
      proposedBy: call.caller.keyId,
      isByRule: false,
    },
  })
  return AdjustPointsResponse.decode(response)
}
