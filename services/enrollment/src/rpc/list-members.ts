import { checkBrand, checkInt } from '@stampede/platform'
import type { ListMembersRequest, ListMembersResponse } from '@stampede/proto/enrollment/v1'
import { accessBrand } from '../brand-access.ts'
import type { Context } from '../context.ts'
import { readPageToken, writePageToken } from '../domain/page-token.ts'
import { openMember } from '../member-view.ts'
import { listMembers as listRows } from '../store/members.ts'

const PAGE_DEFAULT = 100
const PAGE_MAX = 1_000
const BEFORE_FIRST = -1n

/** Lists members in the order of enrolment, a page at a time. */
export async function listMembers(context: Context, request: ListMembersRequest): Promise<ListMembersResponse> {
  const brand = checkBrand(request.brand)
  const size =
    request.pageSize === 0 ? PAGE_DEFAULT : checkInt(request.pageSize, 'page_size', { min: 1, max: PAGE_MAX })
  const after = request.pageToken === '' ? BEFORE_FIRST : readPageToken(request.pageToken)
  await accessBrand(context, brand)

  // One row more than asked for tells whether there is a next page.
  const rows = await listRows(context.database, brand, after, size + 1)
  const page = rows.slice(0, size)
  const last = page.at(-1)
  return {
    members: page.map((row) => openMember(context.masterKey, brand, row)),
    nextPageToken: rows.length > size && last !== undefined ? writePageToken(last.seq) : '',
  }
}
