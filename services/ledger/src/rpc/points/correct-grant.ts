import { type CallContext, checkBigint, checkIdempotencyKey, checkUuid } from '@stampede/platform'
import { CorrectGrantRequest, CorrectGrantResponse } from '@stampede/proto/points/v1'
import type { LedgerContext } from '../../context.ts'
import { brandOf, fingerprint, POINTS_MAX } from '../checks.ts'
import { submitOne } from '../submit.ts'
import { checkEventKey } from './event-key.ts'

/** Changes what an event gave. */
export async function correctGrant(
  context: LedgerContext,
  request: CorrectGrantRequest,
  call: CallContext,
): Promise<CorrectGrantResponse> {
  const { brand } = brandOf(context, request.brand)
  const response = await submitOne(context, {
    brand,
    memberId: checkUuid(request.memberId, 'member_id'),
    idempotencyKey: checkIdempotencyKey(request.idempotencyKey),
    bodyHash: fingerprint('correct', CorrectGrantRequest.encode({ ...request, idempotencyKey: '' }).finish()),
    deadlineMs: call.deadline.getTime(),
    request: {
      kind: 'correct',
      eventKey: checkEventKey(request.eventKey),
      points: checkBigint(request.points, 'points', { min: 0n, max: POINTS_MAX }),
    },
  })
  return CorrectGrantResponse.decode(response)
}
