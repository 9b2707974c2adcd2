import { checkText, notFound } from '@stampede/platform'
import type { GetCouponCampaignRequest, GetCouponCampaignResponse } from '@stampede/proto/coupons/v1'
import type { LedgerContext } from '../../context.ts'
import { readCampaign, readSpent } from '../../store/coupons/campaigns.ts'
import { brandOf, idPattern } from '../checks.ts'

/** A campaign and how much of its budget is used. */
export async function getCampaign(
  context: LedgerContext,
  request: GetCouponCampaignRequest,
): Promise<GetCouponCampaignResponse> {
  const { brand } = brandOf(context, request.brand)
  const campaignId = checkText(request.campaignId, 'campaign_id', { min: 1, max: 40, pattern: idPattern })
  const stored = await readCampaign(context.database, brand, campaignId)
  if (stored === undefined) throw notFound()
  const spent = await readSpent(context.database, brand, campaignId)
  return { campaign: stored.message, version: stored.version, ...spent }
}
