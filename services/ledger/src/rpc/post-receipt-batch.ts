import { type CallContext, checkList } from '@stampede/platform'
import type { PostReceiptBatchRequest, PostReceiptBatchResponse } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import { brandOf } from './checks.ts'
import { postItems } from './post-items.ts'

/** Sales and returns of one call at most. */
const BATCH_ITEMS_MAX = 500

/** Posts sales and returns of one brand in one call. */
export async function postReceiptBatch(
  context: LedgerContext,
  request: PostReceiptBatchRequest,
  call: CallContext,
): Promise<PostReceiptBatchResponse> {
  const { brand } = brandOf(context, request.brand)
  const items = checkList(request.items, 'items', { min: 1, max: BATCH_ITEMS_MAX })
  const asked = items.map((item, index) => ({ brand, item, field: `items[${index}]` }))
  return { results: [...(await postItems(context, asked, call.deadline))] }
}
