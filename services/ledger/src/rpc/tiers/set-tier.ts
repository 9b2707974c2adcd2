import {
  type CallContext,
  checkIdempotencyKey,
  checkPresent,
  checkText,
  checkUuid,
  invalidArgument,
} from '@stampede/platform'
import { SetTierRequest, SetTierResponse } from '@stampede/proto/tiers/v1'
import type { LedgerContext } from '../../context.ts'
import { brandOf, fingerprint, REASON_CHARACTERS_MAX } from '../checks.ts'
import { submitOne } from '../submit.ts'

const UNTIL_MAX_MS = 10 * 366 * 86_400_000

/** Gives a tier by hand, or freezes one. */
export async function setTier(
  context: LedgerContext,
  request: SetTierRequest,
  call: CallContext,
): Promise<SetTierResponse> {
  const { brand } = brandOf(context, request.brand)
  const untilMs = checkPresent(request.until, 'until').getTime()
  const nowMs = context.clock.nowMs()
  if (!(untilMs > nowMs && untilMs <= nowMs + UNTIL_MAX_MS)) {
    throw invalidArgument('until', 'must be in the future, at most ten years')
  }
  const response = await submitOne(context, {
    brand,
    memberId: checkUuid(request.memberId, 'member_id'),
    idempotencyKey: checkIdempotencyKey(request.idempotencyKey),
    bodyHash: fingerprint('tier', SetTierRequest.encode({ ...request, idempotencyKey: '' }).finish()),
    deadlineMs: call.deadline.getTime(),
    request: {
      kind: 'tier',
      tierId: checkText(request.tierId, 'tier_id', { max: 40 }),
      untilMs,
      reason: checkText(request.reason, 'reason', { min: 1, max: REASON_CHARACTERS_MAX }),
    },
  })
  return SetTierResponse.decode(response)
}
