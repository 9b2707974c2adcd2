import { checkInt, checkText, checkUuid, notFound } from '@stampede/platform'
import type { ListHistoryRequest, ListHistoryResponse } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import { readAccounts } from '../store/accounts.ts'
import { pointsOf } from '../store/keys.ts'
import { readHistory } from '../store/postings.ts'
import { brandOf } from './checks.ts'

const PAGE_SIZE_MAX = 500
const PAGE_SIZE_DEFAULT = 50
/** A token is the version that the next page begins below. */
const pageToken = /^([1-9][0-9]{0,17})?$/

/** Postings of a member, newest first. */
export async function listHistory(context: LedgerContext, request: ListHistoryRequest): Promise<ListHistoryResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = pointsOf({ brand, memberId: checkUuid(request.memberId, 'member_id') })
  const asked = checkInt(request.pageSize, 'page_size', { min: 0, max: PAGE_SIZE_MAX })
  const limit = asked === 0 ? PAGE_SIZE_DEFAULT : asked
  const token = checkText(request.pageToken, 'page_token', { pattern: pageToken })
  const [account] = await readAccounts(context.database, [key])
  if (account === undefined || !account.known) throw notFound()
  const rows = await readHistory(context.database, key, token === '' ? null : BigInt(token), limit + 1)
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return {
    postings: page.map((row) => ({
      transactionId: row.transaction_id,
      kind: row.kind,
      deltaAvailable: row.delta_available,
      occurredAt: row.occurred_at,
      postedAt: row.posted_at,
      causeId: row.cause_id ?? '',
    })),
    nextPageToken: rows.length > limit && last !== undefined ? last.version.toString() : '',
  }
}
