import { type CallContext, checkIdempotencyKey, checkUuid } from '@stampede/platform'
import { CancelHoldRequest, CancelHoldResponse } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import { brandOf, fingerprint } from './checks.ts'
import { holdMember } from './hold-member.ts'
import { submitOne } from './submit.ts'

/** Gives an open hold up. */
export async function cancelHold(
  context: LedgerContext,
  request: CancelHoldRequest,
  call: CallContext,
): Promise<CancelHoldResponse> {
  const { brand } = brandOf(context, request.brand)
  const idempotencyKey = checkIdempotencyKey(request.idempotencyKey)
  const holdId = checkUuid(request.holdId, 'hold_id')
  const response = await submitOne(context, {
    brand,
    memberId: await holdMember(context, brand, holdId),
    idempotencyKey,
    bodyHash: fingerprint('cancel', CancelHoldRequest.encode({ ...request, idempotencyKey: '' }).finish()),
    deadlineMs: call.deadline.getTime(),
    request: { kind: 'cancel', holdId },
  })
  return CancelHoldResponse.decode(response)
}
