import type { CallContext } from '@stampede/platform'
import { type ReturnReceiptRequest, ReturnReceiptResponse } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import type { Item } from '../flush/item.ts'
import { naturalText, readKnownReceipts, readSaleMembers } from '../store/receipts.ts'
import { brandOf } from './checks.ts'
import { returnItem } from './items.ts'
import { park } from './park-return.ts'
import { submitOne } from './submit.ts'

/** Returns lines of a sale, or keeps the return until the sale is there. */
export async function returnReceipt(
  context: LedgerContext,
  request: ReturnReceiptRequest,
  call: CallContext,
): Promise<ReturnReceiptResponse> {
  const { brand } = brandOf(context, request.brand)
  const item = returnItem(request, { brand, clock: context.clock, deadline: call.deadline, prefix: '' })
  const [named] = await nameMembers(context, [item])
  if (named === undefined || named.memberId === '') return park(context, item, request)
  return ReturnReceiptResponse.decode(await submitOne(context, named))
}

/** Fills in sales and members of returns that do not name them; members stay empty where there is no such sale. */
export async function nameMembers(context: LedgerContext, items: readonly Item[]): Promise<readonly Item[]> {
  const withSales = await nameSales(context, items)
  const unnamed = withSales.flatMap(({ brand, memberId, request }) =>
    memberId === '' && request.kind === 'return' && request.saleId !== '' ? [{ brand, id: request.saleId }] : [],
  )
  if (unnamed.length === 0) return withSales
  const members = await readSaleMembers(context.database, unnamed)
  return withSales.map((item) => {
    if (item.memberId !== '' || item.request.kind !== 'return') return item
    return { ...item, memberId: members.get(item.request.saleId) ?? '' }
  })
}

/** Finds the sales of returns that know only what the till called them. */
async function nameSales(context: LedgerContext, items: readonly Item[]): Promise<readonly Item[]> {
  const keys = items.flatMap(({ request }) => (request.kind === 'return' && request.saleKey ? [request.saleKey] : []))
  if (keys.length === 0) return items
  const known = await readKnownReceipts(context.database, keys)
  const ids = new Map(known.map(({ natural, receiptId }) => [naturalText(natural), receiptId]))
  return items.map((item) => {
    const { request } = item
    if (request.kind !== 'return' || request.saleKey === undefined) return item
    const saleId = ids.get(naturalText(request.saleKey)) ?? ''
    return { ...item, memberId: saleId === '' ? '' : item.memberId, request: { ...request, saleId } }
  })
}
