import { itemError, StampedeError } from '@stampede/platform'
import { ReturnReceiptRequest } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import type { Item, ItemResult } from '../flush/item.ts'
import { returnItem } from '../rpc/items.ts'
import { nameMembers } from '../rpc/return-receipt.ts'
import { endParked, type ParkedResult, type ParkedReturn, readArrived, resolveParked } from '../store/parked-returns.ts'

/** A resolved one is remembered as long as an idempotency key. */
const REMEMBERED_MS = 400 * 86_400_000
/** Longest that one return may take. */
const DEADLINE_MS = 30_000

/**
 * Posts up to `limit` parked returns whose sales have come; answers how many were resolved. Any number of replicas may run
 * it: each return goes under a key of its own. What can be tried again stays parked.
 */
export async function postParked(context: LedgerContext, limit: number): Promise<number> {
  const { database, clock, committer } = context
  await endParked(database, clock.now(), new Date(clock.nowMs() - REMEMBERED_MS))
  const arrived = await readArrived(database, limit)
  const checked = arrived.map((parked) => toItem(context, parked))
  const items = await nameMembers(
    context,
    checked.flatMap((one) => ('item' in one ? one.item : [])),
  )
  const posted = (await committer.submit(items)).flatMap((result, index) => resultOf(items[index], result))
  const results = [...checked.flatMap((one) => ('result' in one ? one.result : [])), ...posted]
  await resolveParked(database, results, clock.now())
  return results.length
}

/** What it was asked then; rules about requests may have changed since. */
function toItem(
  { clock }: LedgerContext,
  { brand, returnId, parkedId, request, contentHash }: ParkedReturn,
): { readonly item: Item } | { readonly result: ParkedResult } {
  const deadline = new Date(clock.nowMs() + DEADLINE_MS)
  try {
    const item = returnItem(ReturnReceiptRequest.decode(request), { brand, clock, deadline, prefix: '' })
    return { item: { ...item, idempotencyKey: `parked/${parkedId}`, bodyHash: contentHash } }
  } catch (error) {
    return { result: { brand, id: returnId, error: itemError(error) } }
  }
}

function resultOf(item: Item | undefined, result: ItemResult): readonly ParkedResult[] {
  if (item?.request.kind !== 'return') return []
  const name = { brand: item.brand, id: item.request.returnId }
  if (result.ok) return [{ ...name, error: undefined }]
  if (StampedeError.from(result.error).retryable) return []
  return [{ ...name, error: itemError(result.error) }]
}
