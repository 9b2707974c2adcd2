import { notFound, StampedeError, uuidv7 } from '@stampede/platform'
import { ReturnReceiptRequest, ReturnReceiptResponse } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import type { Item } from '../flush/item.ts'
import { answerOnce } from '../store/answer-once.ts'
import { type ParkedReturn, parkReturn } from '../store/parked-returns.ts'

/** How long a return waits for its sale. */
const PARKED_MS = 45 * 86_400_000

/** Keeps a return until its sale comes; throws NOT_FOUND for one that does not want that. */
export async function park(
  context: LedgerContext,
  item: Item,
  request: ReturnReceiptRequest,
): Promise<ReturnReceiptResponse> {
  const { brand, idempotencyKey: key, bodyHash, request: checked } = item
  if (!request.mayPark || checked.kind !== 'return' || checked.saleKey === undefined) throw notFound()
  const { saleKey: sale, returnId } = checked
  const response = await answerOnce(context, { brand, key, bodyHash, method: 'return' }, async (tx, parkedAt) => {
    const wish: ParkedReturn = {
      brand,
      returnId,
      parkedId: uuidv7(),
      request: ReturnReceiptRequest.encode({ ...request, brand }).finish(),
      contentHash: bodyHash,
      sale,
      parkedAt,
      parkedUntil: new Date(parkedAt.getTime() + PARKED_MS),
    }
    const parked = await parkReturn(tx, wish)
    if (!parked.contentHash.equals(bodyHash)) {
      throw new StampedeError('ALREADY_EXISTS', 'another return of this id waits for its sale', { field: 'return_id' })
    }
    const answer = ReturnReceiptResponse.fromPartial({ parkedUntil: parked.parkedUntil })
    return { response: ReturnReceiptResponse.encode(answer).finish(), causeId: null }
  })
  return ReturnReceiptResponse.decode(response)
}
