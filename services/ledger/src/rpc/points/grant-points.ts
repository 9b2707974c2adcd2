import { type CallContext, checkBigint, checkIdempotencyKey, checkInt, checkText, checkUuid } from '@stampede/platform'
import { GrantPointsRequest, GrantPointsResponse } from '@stampede/proto/points/v1'
import type { LedgerContext } from '../../context.ts'
import { brandOf, checkOccurredAt, FUNDER_CHARACTERS_MAX, fingerprint, POINTS_MAX } from '../checks.ts'
import { submitOne } from '../submit.ts'
import { checkEventKey } from './event-key.ts'

const LIVE_DAYS_MAX = 3_650

/** Gives points for an event. */
export async function grantPoints(
  context: LedgerContext,
  request: GrantPointsRequest,
  call: CallContext,
): Promise<GrantPointsResponse> {
  const { brand } = brandOf(context, request.brand)
  const { occurredAt } = request
  const checked = {
    kind: 'grant',
    eventKey: checkEventKey(request.eventKey),
    points: checkBigint(request.points, 'points', { min: 1n, max: POINTS_MAX }),
    occurredAtMs: occurredAt === undefined ? undefined : checkOccurredAt(occurredAt, 'occurred_at', context.clock),
    liveDays: checkInt(request.liveDays, 'live_days', { min: 0, max: LIVE_DAYS_MAX }),
    funder: checkText(request.funder, 'funder', { max: FUNDER_CHARACTERS_MAX }),
    activatesAtMs: undefined,
  } as const
  const response = await submitOne(context, {
    brand,
    memberId: checkUuid(request.memberId, 'member_id'),
    idempotencyKey: checkIdempotencyKey(request.idempotencyKey),
    bodyHash: fingerprint('grant', GrantPointsRequest.encode({ ...request, idempotencyKey: '' }).finish()),
    deadlineMs: call.deadline.getTime(),
    request: checked,
  })
  return GrantPointsResponse.decode(response)
}
