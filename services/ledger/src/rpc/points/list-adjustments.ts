import { checkInt, checkUuid } from '@stampede/platform'
import type { ListAdjustmentsRequest, ListAdjustmentsResponse } from '@stampede/proto/points/v1'
import type { LedgerContext } from '../../context.ts'
import { readOpenAdjustments } from '../../store/adjustments.ts'
import { brandOf } from '../checks.ts'

const PAGE_SIZE_MAX = 500
const PAGE_SIZE_DEFAULT = 50

/** Corrections that wait for a second person, oldest first. */
export async function listAdjustments(
  context: LedgerContext,
  request: ListAdjustmentsRequest,
): Promise<ListAdjustmentsResponse> {
  const { brand } = brandOf(context, request.brand)
  const asked = checkInt(request.pageSize, 'page_size', { min: 0, max: PAGE_SIZE_MAX })
  const limit = asked === 0 ? PAGE_SIZE_DEFAULT : asked
  const afterId = request.pageToken === '' ? null : checkUuid(request.pageToken, 'page_token')
  const found = await readOpenAdjustments(context.database, brand, afterId, limit + 1)
  const page = found.slice(0, limit)
  return {
    adjustments: page.map(({ adjustmentId, memberId, points, reason, proposedBy, proposedAtMs }) => ({
      adjustmentId,
      memberId,
      points,
      reason,
      proposedBy,
      proposedAt: new Date(proposedAtMs),
    })),
    nextPageToken: found.length > limit ? (page.at(-1)?.adjustmentId ?? '') : '',
  }
}
