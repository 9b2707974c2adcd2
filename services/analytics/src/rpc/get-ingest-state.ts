import type { GetIngestStateRequest, GetIngestStateResponse } from '@stampede/proto/analytics/v1'
import { type AnalyticsContext, brandOf } from '../context.ts'
import { ingestCounts } from '../store/reports.ts'

/** Handler of GetIngestState. */
export function getIngestState(context: AnalyticsContext) {
  return async (request: GetIngestStateRequest): Promise<GetIngestStateResponse> => {
    const { brand } = brandOf(context, request.brand)
    const counts = await ingestCounts(context.reads, brand)
    return {
      sales: BigInt(counts.sales),
      returns: BigInt(counts.returns),
      passes: BigInt(counts.passes),
      pushResults: BigInt(counts.pushResults),
      fetches: BigInt(counts.fetches),
    }
  }
}
