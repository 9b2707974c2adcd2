import { type CallContext, checkBigint, checkIdempotencyKey, checkInt, checkText, checkUuid } from '@stampede/platform'
import { CreateHoldRequest, CreateHoldResponse } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import { brandOf, fingerprint, POINTS_MAX } from './checks.ts'
import { submitOne } from './submit.ts'

/** Longest life of a hold, in seconds. */
const TTL_SECONDS_MAX = 86_400
const REFERENCE_CHARACTERS_MAX = 128

/** Holds points for a basket. */
export async function createHold(
  context: LedgerContext,
  request: CreateHoldRequest,
  call: CallContext,
): Promise<CreateHoldResponse> {
  const { brand } = brandOf(context, request.brand)
  const response = await submitOne(context, {
    brand,
    memberId: checkUuid(request.memberId, 'member_id'),
    idempotencyKey: checkIdempotencyKey(request.idempotencyKey),
    bodyHash: fingerprint('hold', CreateHoldRequest.encode({ ...request, idempotencyKey: '' }).finish()),
    deadlineMs: call.deadline.getTime(),
    request: {
      kind: 'hold',
      points: checkBigint(request.points, 'points', { min: 1n, max: POINTS_MAX }),
      reference: checkText(request.reference, 'reference', { min: 1, max: REFERENCE_CHARACTERS_MAX }),
      ttlSeconds: checkInt(request.ttlSeconds, 'ttl_seconds', { min: 0, max: TTL_SECONDS_MAX }),
    },
  })
  return CreateHoldResponse.decode(response)
}
