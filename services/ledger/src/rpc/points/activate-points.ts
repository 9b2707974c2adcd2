import { type CallContext, checkIdempotencyKey, checkUuid } from '@stampede/platform'
import { ActivatePointsRequest, ActivatePointsResponse } from '@stampede/proto/points/v1'
import type { LedgerContext } from '../../context.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { submitOne } from '../submit.ts'

/** Makes pending points spendable. */
export async function activatePoints(
  context: LedgerContext,
  request: ActivatePointsRequest,
  call: CallContext,
): Promise<ActivatePointsResponse> {
  const { brand } = brandOf(context, request.brand)
  const response = await submitOne(context, {
    brand,
    memberId: checkUuid(request.memberId, 'member_id'),
    idempotencyKey: checkIdempotencyKey(request.idempotencyKey),
    bodyHash: fingerprint('activate', ActivatePointsRequest.encode({ ...request, idempotencyKey: '' }).finish()),
    deadlineMs: call.deadline.getTime(),
    request: { kind: 'activate', causeId: checkUuid(request.causeId, 'cause_id') },
  })
  return ActivatePointsResponse.decode(response)
}
