import { checkBrand, checkIdempotencyKey, checkUuid } from '@stampede/platform'
import type { AbortCampaignRequest, AbortCampaignResponse } from '@stampede/proto/campaigns/v1'
import { changeStatus } from '../change.ts'
import type { Context } from '../context.ts'

/** Ends a campaign for good; what was not sent is counted as aborted. */
export async function abortCampaign(context: Context, request: AbortCampaignRequest): Promise<AbortCampaignResponse> {
  const key = checkIdempotencyKey(request.idempotencyKey)
  const brand = checkBrand(request.brand)
  const campaignId = checkUuid(request.campaignId, 'campaign_id')
  return { campaign: await changeStatus(context, { brand, campaignId, key }, 'abort') }
}
