import type { ListAdjustmentsRequest, ListAdjustmentsResponse } from '@stampede/proto/points/v1'
import type { LedgerContext } from '../../context.ts'
import { readOpenAdjustments } from '../../store/adjustments.ts'
import { brandOf, checkPage } from '../checks.ts'

/** Corrections that wait for a second person, oldest first. */
export async function listAdjustments(
  context: LedgerContext,
  request: ListAdjustmentsRequest,
): Promise<ListAdjustmentsResponse> {
  const { brand } = brandOf(context, request.brand)
  const { limit, afterId } = checkPage(request)
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
