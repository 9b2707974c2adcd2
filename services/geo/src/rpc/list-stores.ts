import { checkBrand, checkInt, invalidArgument } from '@stampede/platform'
import type { ListStoresRequest, ListStoresResponse } from '@stampede/proto/geo/v1'
import type { Context } from '../context.ts'
import { storeIdPattern } from '../domain/check-store.ts'
import { listStores as listRows } from '../store/stores.ts'

const PAGE_DEFAULT = 100
const PAGE_MAX = 1_000

/** Lists stores in the order of their ids, a page at a time. */
export async function listStores(context: Context, request: ListStoresRequest): Promise<ListStoresResponse> {
  const brand = checkBrand(request.brand)
  const size =
    request.pageSize === 0 ? PAGE_DEFAULT : checkInt(request.pageSize, 'page_size', { min: 1, max: PAGE_MAX })
  const after = request.pageToken === '' ? '' : readPageToken(request.pageToken)

  // One row more than asked for tells whether there is a next page.
  const rows = await listRows(context.database, brand, after, size + 1)
  const stores = rows.slice(0, size)
  const last = stores.at(-1)
  const nextPageToken = rows.length > size && last !== undefined ? writePageToken(last.storeId) : ''
  return { stores, nextPageToken }
}

function writePageToken(storeId: string): string {
  return Buffer.from(storeId).toString('base64url')
}

function readPageToken(token: string): string {
  const storeId = Buffer.from(token, 'base64url').toString('utf8')
  if (!storeIdPattern.test(storeId) || writePageToken(storeId) !== token)
    throw invalidArgument('page_token', 'must come from the previous answer')
  return storeId
}
