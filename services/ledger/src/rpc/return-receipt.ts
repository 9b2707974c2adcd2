import { type CallContext, notFound } from '@stampede/platform'
import { type ReturnReceiptRequest, ReturnReceiptResponse } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import type { Item } from '../flush/item.ts'
import { readSaleMembers } from '../store/receipts.ts'
import { brandOf } from './checks.ts'
import { returnItem } from './items.ts'
import { submitOne } from './submit.ts'

/** Returns lines of a sale. */
export async function returnReceipt(
  context: LedgerContext,
  request: ReturnReceiptRequest,
  call: CallContext,
): Promise<ReturnReceiptResponse> {
  const { brand } = brandOf(context, request.brand)
  const item = returnItem(request, { brand, clock: context.clock, deadline: call.deadline, prefix: '' })
  const [named] = await nameMembers(context, [item])
  if (named === undefined || named.memberId === '') throw notFound()
  return ReturnReceiptResponse.decode(await submitOne(context, named))
}

/** Fills in the members of returns that name only the sale; stays empty where there is no such sale. */
export async function nameMembers(context: LedgerContext, items: readonly Item[]): Promise<readonly Item[]> {
  const unnamed = items.flatMap(({ brand, memberId, request }) =>
    memberId === '' && request.kind === 'return' ? [{ brand, id: request.saleId }] : [],
  )
  if (unnamed.length === 0) return items
  const members = await readSaleMembers(context.database, unnamed)
  return items.map((item) => {
    if (item.memberId !== '' || item.request.kind !== 'return') return item
    return { ...item, memberId: members.get(item.request.saleId) ?? '' }
  })
}
