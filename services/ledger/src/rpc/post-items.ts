import { invalidArgument, itemError } from '@stampede/platform'
import {
  PostReceiptResponse,
  type ReceiptBatchItem,
  type ReceiptBatchResult,
  ReturnReceiptResponse,
} from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import type { Item, ItemResult } from '../flush/item.ts'
import { brandOf } from './checks.ts'
import { returnItem, saleItem } from './items.ts'
import { park } from './park-return.ts'
import { nameMembers } from './return-receipt.ts'

/** A sale or return of a batch or stream. */
export interface AskedItem {
  /** What the caller's scope was checked for. */
  readonly brand: string
  readonly item: ReceiptBatchItem | undefined
  /** Name of the item in the request, for errors, such as `items[3]`. */
  readonly field: string
}

interface Accepted {
  readonly index: number
  readonly item: Item
  readonly asked: NonNullable<ReceiptBatchItem['item']>
}

/** Posts sales and returns; what is wrong with one is told in its result and does not touch the others. */
export async function postItems(
  context: LedgerContext,
  asked: readonly AskedItem[],
  deadline: Date,
): Promise<readonly ReceiptBatchResult[]> {
  const results: ReceiptBatchResult[] = asked.map(() => ({ result: undefined }))
  const accepted: Accepted[] = []
  for (const [index, one] of asked.entries()) {
    try {
      accepted.push({ index, ...toItem(context, one, deadline) })
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
  for (const [position, one] of accepted.entries()) {
    const isThere = named[position]?.memberId !== ''
    const answer = isThere ? answers[next] : undefined
    if (isThere) next += 1
    results[one.index] = answer === undefined ? await parked(context, one) : toResult(one.item, answer)
  }
  return results
}

function toItem(context: LedgerContext, { brand: slug, item: one, field }: AskedItem, deadline: Date) {
  const { brand } = brandOf(context, slug)
  const asked = one?.item
  if (asked === undefined) throw invalidArgument(field, 'must be a sale or a return')
  const itemContext = { brand, clock: context.clock, deadline, prefix: `${field}.${asked.$case}.` }
  const item = asked.$case === 'sale' ? saleItem(asked.value, itemContext) : returnItem(asked.value, itemContext)
  return { item, asked }
}

async function parked(context: LedgerContext, { item, asked }: Accepted): Promise<ReceiptBatchResult> {
  if (asked.$case !== 'return') return failed(new Error('a sale names its member'))
  try {
    return { result: { $case: 'return', value: await park(context, item, asked.value) } }
  } catch (error) {
    return failed(error)
  }
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
