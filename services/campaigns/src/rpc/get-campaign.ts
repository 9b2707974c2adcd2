import { checkBrand, checkUuid } from '@stampede/platform'
import type { GetCampaignRequest, GetCampaignResponse } from '@stampede/proto/campaigns/v1'
import type { Context } from '../context.ts'
import { readCampaign } from '../store/campaigns.ts'
import { viewCampaign } from '../view.ts'

/** A campaign with its progress. */
export async function getCampaign({ database }: Context, request: GetCampaignRequest): Promise<GetCampaignResponse> {
  const brand = checkBrand(request.brand)
  const campaignId = checkUuid(request.campaignId, 'campaign_id')
  return { campaign: await viewCampaign(database, await readCampaign(database, brand, campaignId)) }
}
