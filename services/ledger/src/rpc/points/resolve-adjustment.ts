import { type CallContext, checkIdempotencyKey, checkUuid, notFound } from '@stampede/platform'
import { ResolveAdjustmentRequest, ResolveAdjustmentResponse } from '@stampede/proto/points/v1'
import type { LedgerContext } from '../../context.ts'
import { readAdjustments } from '../../store/adjustments.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { submitOne } from '../submit.ts'

/** Approves or rejects a correction that waits for a second person. */
export async function resolveAdjustment(
  context: LedgerContext,
  request: ResolveAdjustmentRequest,
  call: CallContext,
): Promise<ResolveAdjustmentResponse> {
  const { brand } = brandOf(context, request.brand)
  const idempotencyKey = checkIdempotencyKey(request.idempotencyKey)
  const adjustmentId = checkUuid(request.adjustmentId, 'adjustment_id')
  const [proposed] = await readAdjustments(context.database, [{ brand, id: adjustmentId }])
  if (proposed === undefined) throw notFound()
  const response = await submitOne(context, {
    brand,
    memberId: proposed.memberId,
    idempotencyKey,
    bodyHash: fingerprint('resolve', ResolveAdjustmentRequest.encode({ ...request, idempotencyKey: '' }).finish()),
    deadlineMs: call.deadline.getTime(),
    request: { kind: 'resolve', adjustmentId, isApproved: request.approve, resolvedBy: call.caller.keyId },
  })
  return ResolveAdjustmentResponse.decode(response)
}
