import { checkBrand, checkInt, invalidArgument, notFound } from '@stampede/platform'
import type { ListPassesRequest, ListPassesResponse } from '@stampede/proto/passes/v1'
import type { Context } from '../context.ts'
import { listPasses as listRecords } from '../store/passes.ts'
import { passMessage } from './pass-message.ts'

const MAX_PAGE = 1_000
const DEFAULT_PAGE = 100
/** Longest decimal number that fits the column. */
const MAX_NO_DIGITS = 18

/** Passes in the order of their numbers. */
export async function listPasses(context: Context, request: ListPassesRequest): Promise<ListPassesResponse> {
  const slug = checkBrand(request.brand)
  const size =
    request.pageSize === 0 ? DEFAULT_PAGE : checkInt(request.pageSize, 'page_size', { min: 1, max: MAX_PAGE })
  const from = parseToken(request.pageToken)
  const brand = context.brands.get(slug)
  if (brand === undefined) throw notFound()
  const records = await listRecords(context.database, slug, from, size)
  const passes = await Promise.all(records.map((record) => passMessage(context, brand, record)))
  const last = records.at(-1)
  const nextPageToken = last === undefined || records.length < size ? '' : makeToken(last.no + 1n)
  return { passes, nextPageToken }
}

function makeToken(no: bigint): string {
  return Buffer.from(`no:${no}`).toString('base64url')
}

function parseToken(token: string): bigint {
  if (token === '') return 0n
  const match = /^no:(\d+)$/.exec(Buffer.from(token, 'base64url').toString())
  if (match?.[1] === undefined || match[1].length > MAX_NO_DIGITS) {
    throw invalidArgument('page_token', 'is not one of ours')
  }
  return BigInt(match[1])
}
