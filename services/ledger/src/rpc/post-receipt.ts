import type { CallContext } from '@stampede/platform'
import { type PostReceiptRequest, PostReceiptResponse } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import { brandOf } from './checks.ts'
import { saleItem } from './items.ts'
import { submitOne } from './submit.ts'

/** Posts a sale. */
export async function postReceipt(
  context: LedgerContext,
  request: PostReceiptRequest,
  call: CallContext,
): Promise<PostReceiptResponse> {
  const { brand } = brandOf(context, request.brand)
  const item = saleItem(request, { brand, clock: context.clock, deadline: call.deadline, prefix: '' })
  return PostReceiptResponse.decode(await submitOne(context, item))
}
