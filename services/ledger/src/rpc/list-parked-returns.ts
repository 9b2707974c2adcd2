import type { ListParkedReturnsRequest, ListParkedReturnsResponse, ParkedReturn } from '@stampede/proto/parked/v1'
import type { LedgerContext } from '../context.ts'
import { type ListedReturn, readListed } from '../store/parked-returns.ts'
import { brandOf, checkPage } from './checks.ts'

/** Returns that came before their sales and are not posted, oldest first. */
export async function listParkedReturns(
  context: LedgerContext,
  request: ListParkedReturnsRequest,
): Promise<ListParkedReturnsResponse> {
  const { brand } = brandOf(context, request.brand)
  const { limit, afterId } = checkPage(request)
  const found = await readListed(context.database, brand, afterId, limit + 1)
  const page = found.slice(0, limit)
  return {
    returns: page.map(toMessage),
    nextPageToken: found.length > limit ? (page.at(-1)?.parkedId ?? '') : '',
  }
}

function toMessage({ returnId, sale, state, parkedAt, parkedUntil, error }: ListedReturn): ParkedReturn {
  return {
    returnId,
    sale,
    state,
    parkedAt,
    parkedUntil,
    error: error.code === '' ? undefined : { ...error, retryable: false },
  }
}
