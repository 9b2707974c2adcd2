import type { Handlers } from '@stampede/platform'
import type { CampaignsServiceService } from '@stampede/proto/campaigns/v1'
import type { Context } from '../context.ts'
import { abortCampaign } from './abort-campaign.ts'
import { createCampaign } from './create-campaign.ts'
import { getCampaign } from './get-campaign.ts'
import { listCampaigns } from './list-campaigns.ts'
import { pauseCampaign } from './pause-campaign.ts'
import { resumeCampaign } from './resume-campaign.ts'
import { startCampaign } from './start-campaign.ts'
import { watchCampaign } from './watch-campaign.ts'

/** The service's methods over its context. */
export function campaignsHandlers(context: Context): Handlers<typeof CampaignsServiceService> {
  return {
    createCampaign: (request) => createCampaign(context, request),
    getCampaign: (request) => getCampaign(context, request),
    listCampaigns: (request) => listCampaigns(context, request),
    startCampaign: (request) => startCampaign(context, request),
    pauseCampaign: (request) => pauseCampaign(context, request),
    resumeCampaign: (request) => resumeCampaign(context, request),
    abortCampaign: (request) => abortCampaign(context, request),
    watchCampaign: (request, call) => watchCampaign(context, request, call),
  }
}
