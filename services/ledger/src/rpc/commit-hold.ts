import { type CallContext, checkBigint, checkIdempotencyKey, checkUuid } from '@stampede/platform'
import { CommitHoldRequest, CommitHoldResponse } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import { brandOf, fingerprint, POINTS_MAX } from './checks.ts'
import { holdMember } from './hold-member.ts'
import { submitOne } from './submit.ts'

/** Captures a hold outside of a receipt. */
export async function commitHold(
  context: LedgerContext,
  request: CommitHoldRequest,
  call: CallContext,
): Promise<CommitHoldResponse> {
  const { brand } = brandOf(context, request.brand)
  const idempotencyKey = checkIdempotencyKey(request.idempotencyKey)
  const holdId = checkUuid(request.holdId, 'hold_id')
  const points = checkBigint(request.points, 'points', { min: 1n, max: POINTS_MAX })
  const response = await submitOne(context, {
    brand,
    memberId: await holdMember(context, brand, holdId),
    idempotencyKey,
    bodyHash: fingerprint('commit', CommitHoldRequest.encode({ ...request, idempotencyKey: '' }).finish()),
    deadlineMs: call.deadline.getTime(),
    request: { kind: 'commit', holdId, points },
  })
  return CommitHoldResponse.decode(response)
}
