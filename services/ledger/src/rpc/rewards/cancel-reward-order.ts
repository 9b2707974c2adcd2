import { type CallContext, checkIdempotencyKey, checkInt, checkUuid } from '@stampede/platform'
import { CancelRewardOrderRequest, CancelRewardOrderResponse } from '@stampede/proto/rewards/v1'
import type { LedgerContext } from '../../context.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { submitOne } from '../submit.ts'

const PIECES_MAX = 100

/** Cancels pieces of an order. */
export async function cancelRewardOrder(
  context: LedgerContext,
  request: CancelRewardOrderRequest,
  call: CallContext,
): Promise<CancelRewardOrderResponse> {
  const { brand } = brandOf(context, request.brand)
  const encoded = CancelRewardOrderRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const response = await submitOne(context, {
    brand,
    memberId: checkUuid(request.memberId, 'member_id'),
    idempotencyKey: checkIdempotencyKey(request.idempotencyKey),
    bodyHash: fingerprint('cancel_order', encoded),
    deadlineMs: call.deadline.getTime(),
    request: {
      kind: 'cancel_order',
      orderId: checkUuid(request.orderId, 'order_id'),
      quantity: BigInt(checkInt(request.quantity, 'quantity', { min: 0, max: PIECES_MAX })),
    },
  })
  return CancelRewardOrderResponse.decode(response)
}
