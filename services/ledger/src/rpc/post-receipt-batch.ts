import { type CallContext, checkList, invalidArgument, itemError, notFound } from '@stampede/platform'
import {
  type PostReceiptBatchRequest,
  type PostReceiptBatchResponse,
  PostReceiptResponse,
  type ReceiptBatchItem,
  type ReceiptBatchResult,
  ReturnReceiptResponse,
} from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import type { Item, ItemResult } from '../flush/item.ts'
import { brandOf } from './checks.ts'
import { type ItemContext, returnItem, saleItem } from './items.ts'
import { nameMembers } from './return-receipt.ts'

/** Sales and returns of one call at most. */
const BATCH_ITEMS_MAX = 500

/** Posts sales and returns; what is wrong with one is told in its result and does not touch the others. */
export async function postReceiptBatch(
  context: LedgerContext,
  request: PostReceiptBatchRequest,
  call: CallContext,
): Promise<PostReceiptBatchResponse> {
  const { brand } = brandOf(context, request.brand)
  const items = checkList(request.items, 'items', { min: 1, max: BATCH_ITEMS_MAX })
  const results: ReceiptBatchResult[] = items.map(() => ({ result: undefined }))
  const accepted: { readonly index: number; readonly item: Item }[] = []
  for (const [index, one] of items.entries()) {
    try {
      accepted.push({ index, item: toItem(one, index, { brand, clock: context.clock, deadline: call.deadline }) })
    } catch (error) {
      results[index] = failed(error)
    }
  }
  const named = await nameMembers(
    context,
    accepted.map(({ item }) => item),
  )
  const answers = await context.committer.submit(named.filter((item) => item.memberId !== ''))
  let next = 0
  for (const [position, { index, item }] of accepted.entries()) {
    const isThere = named[position]?.memberId !== ''
    const answer = isThere ? answers[next] : undefined
    if (isThere) next += 1
    results[index] = answer === undefined ? failed(notFound()) : toResult(item, answer)
  }
  return { results }
}

function toItem(one: ReceiptBatchItem, index: number, context: Omit<ItemContext, 'prefix'>): Item {
  const { item } = one
  if (item === undefined) throw invalidArgument(`items[${index}]`, 'must be a sale or a return')
  const withPrefix = { ...context, prefix: `items[${index}].${item.$case}.` }
  return item.$case === 'sale' ? saleItem(item.value, withPrefix) : returnItem(item.value, withPrefix)
}

function toResult(item: Item, result: ItemResult): ReceiptBatchResult {
  if (!result.ok) return failed(result.error)
  if (item.request.kind === 'sale') {
    return { result: { $case: 'sale', value: PostReceiptResponse.decode(result.response) } }
  }
  return { result: { $case: 'return', value: ReturnReceiptResponse.decode(result.response) } }
}

function failed(error: unknown): ReceiptBatchResult {
  return { result: { $case: 'error', value: itemError(error) } }
}
