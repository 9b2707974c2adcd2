import { type CallContext, checkBigint, checkIdempotencyKey, checkInt, checkText, checkUuid } from '@stampede/platform'
import { OrderRewardRequest, OrderRewardResponse } from '@stampede/proto/rewards/v1'
import type { LedgerContext } from '../../context.ts'
import { brandOf, fingerprint, idPattern, POINTS_MAX } from '../checks.ts'
import { submitOne } from '../submit.ts'

const PIECES_MAX = 100

/** Orders a reward for points. */
export async function orderReward(
  context: LedgerContext,
  request: OrderRewardRequest,
  call: CallContext,
): Promise<OrderRewardResponse> {
  const { brand } = brandOf(context, request.brand)
  const response = await submitOne(context, {
    brand,
    memberId: checkUuid(request.memberId, 'member_id'),
    idempotencyKey: checkIdempotencyKey(request.idempotencyKey),
    bodyHash: fingerprint('order', OrderRewardRequest.encode({ ...request, idempotencyKey: '' }).finish()),
    deadlineMs: call.deadline.getTime(),
    request: {
      kind: 'order',
      rewardId: checkText(request.rewardId, 'reward_id', { min: 1, max: 40, pattern: idPattern }),
      quantity: BigInt(checkInt(request.quantity, 'quantity', { min: 1, max: PIECES_MAX })),
      expectedPoints: checkBigint(request.expectedPoints, 'expected_points', {
        min: 0n,
        max: POINTS_MAX * BigInt(PIECES_MAX),
      }),
    },
  })
  return OrderRewardResponse.decode(response)
}
