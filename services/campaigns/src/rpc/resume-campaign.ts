import { checkBrand, checkIdempotencyKey, checkUuid } from '@stampede/platform'
import type { ResumeCampaignRequest, ResumeCampaignResponse } from '@stampede/proto/campaigns/v1'
import { changeStatus } from '../change.ts'
import type { Context } from '../context.ts'

/** Lets a paused campaign go on. */
export async function resumeCampaign(
  context: Context,
  request: ResumeCampaignRequest,
): Promise<ResumeCampaignResponse> {
  const key = checkIdempotencyKey(request.idempotencyKey)
  const brand = checkBrand(request.brand)
  const campaignId = checkUuid(request.campaignId, 'campaign_id')
  return { campaign: await changeStatus(context, { brand, campaignId, key }, 'resume') }
}
