import { checkText, notFound } from '@stampede/platform'
import type { GetPushReportRequest, GetPushReportResponse } from '@stampede/proto/analytics/v1'
import { type AnalyticsContext, brandOf } from '../context.ts'
import { failureReasons, perSecond, pushTotals } from '../store/push-report.ts'

const campaignIdMax = 64

/** Handler of GetPushReport. Recipients are the accepted and the failed ones; both count a device of a pass once. */
export function getPushReport(context: AnalyticsContext) {
  return async (request: GetPushReportRequest): Promise<GetPushReportResponse> => {
    const { brand } = brandOf(context, request.brand)
    const campaignId = checkText(request.campaignId, 'campaign_id', { min: 1, max: campaignIdMax })
    const totals = await pushTotals(context.reads, brand, campaignId)
    const recipients = BigInt(totals.recipients)
    if (totals.known === '0' && recipients === 0n) throw notFound()
    const reasons = await failureReasons(context.reads, brand, campaignId)
    const series = await perSecond(context.reads, brand, campaignId)
    const accepted = BigInt(totals.accepted)
    return {
      recipients,
      accepted,
      failed: recipients - accepted,
      duplicates: BigInt(totals.duplicates),
      fetched: BigInt(totals.fetched),
      fetchedWithin60s: BigInt(totals.fetchedWithin60s),
      failuresByReason: Object.fromEntries(reasons.map((row) => [row.reason, BigInt(row.recipients)])),
      acceptedPerSecond: [...series.accepted],
      fetchedPerSecond: [...series.fetched],
    }
  }
}
