import { checkBrand, checkIdempotencyKey, checkUuid } from '@stampede/platform'
import type { PauseCampaignRequest, PauseCampaignResponse } from '@stampede/proto/campaigns/v1'
import { changeStatus } from '../change.ts'
import type { Context } from '../context.ts'

/** Stops a campaign within a second; what is on the wire ends. */
export async function pauseCampaign(context: Context, request: PauseCampaignRequest): Promise<PauseCampaignResponse> {
  const key = checkIdempotencyKey(request.idempotencyKey)
  const brand = checkBrand(request.brand)
  const campaignId = checkUuid(request.campaignId, 'campaign_id')
  return { campaign: await changeStatus(context, { brand, campaignId, key }, 'pause') }
}
