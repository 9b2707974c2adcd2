import { checkText, notFound } from '@stampede/platform'
import type { GetMemberScoreRequest, GetMemberScoreResponse } from '@stampede/proto/analytics/v1'
import { type AnalyticsContext, brandOf, requireSnapshot } from '../context.ts'
import { memberScore } from '../store/segments.ts'

const memberIdMax = 64

/** Handler of GetMemberScore: the member in the newest snapshot; scores of a prospect are 0. */
export function getMemberScore(context: AnalyticsContext) {
  return async (request: GetMemberScoreRequest): Promise<GetMemberScoreResponse> => {
    brandOf(context, request.brand)
    const memberId = checkText(request.memberId, 'member_id', { min: 1, max: memberIdMax })
    const { snapshotId } = await requireSnapshot(context, request.brand)
    const score = await memberScore(context.reads, request.brand, snapshotId, memberId)
    if (!score) throw notFound()
    const { r, f, m, segment, churning, frequency } = score
    return {
      r,
      f,
      m,
      segment,
      churning,
      frequency,
      recencyDays: score.recencyDays,
      monetaryMinor: BigInt(score.monetaryMinor),
    }
  }
}
