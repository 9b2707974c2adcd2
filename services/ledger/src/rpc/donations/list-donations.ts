import { checkInt, checkUuid } from '@stampede/platform'
import type { ListDonationsRequest, ListDonationsResponse } from '@stampede/proto/donations/v1'
import type { LedgerContext } from '../../context.ts'
import { readDonations } from '../../store/donations/donations.ts'
import { brandOf } from '../checks.ts'

const PAGE_SIZE_MAX = 500
const PAGE_SIZE_DEFAULT = 50

/** Donations of a member, newest first. */
export async function listDonations(
  context: LedgerContext,
  request: ListDonationsRequest,
): Promise<ListDonationsResponse> {
  const { brand } = brandOf(context, request.brand)
  const memberId = checkUuid(request.memberId, 'member_id')
  const asked = checkInt(request.pageSize, 'page_size', { min: 0, max: PAGE_SIZE_MAX })
  const limit = asked === 0 ? PAGE_SIZE_DEFAULT : asked
  const beforeId = request.pageToken === '' ? null : checkUuid(request.pageToken, 'page_token')
  const found = await readDonations(context.database, brand, { memberId, beforeId, limit: limit + 1 })
  const page = found.slice(0, limit)
  return {
    donations: page.map(({ donationId, fundId, points, moneyMinor, matchMinor, donatedAtMs, undoUntilMs, state }) => ({
      donationId,
      fundId,
      points,
      moneyMinor,
      matchMinor,
      donatedAt: new Date(donatedAtMs),
      undoUntil: new Date(undoUntilMs),
      state,
    })),
    nextPageToken: found.length > limit ? (page.at(-1)?.donationId ?? '') : '',
  }
}
