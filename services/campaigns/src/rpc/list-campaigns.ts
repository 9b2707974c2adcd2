import { checkBrand, checkInt, checkUuid } from '@stampede/platform'
import type { Campaign, ListCampaignsRequest, ListCampaignsResponse } from '@stampede/proto/campaigns/v1'
import type { Context } from '../context.ts'
import { listCampaigns as listRows } from '../store/campaigns.ts'
import { viewCampaign } from '../view.ts'

const pageDefault = 20
const pageMax = 100

/** Campaigns, newest first. The page token is the last one's id: ids grow with time. */
export async function listCampaigns(
  { database }: Context,
  request: ListCampaignsRequest,
): Promise<ListCampaignsResponse> {
  const brand = checkBrand(request.brand)
  const size = request.pageSize === 0 ? pageDefault : checkInt(request.pageSize, 'page_size', { min: 1, max: pageMax })
  const before = request.pageToken === '' ? undefined : checkUuid(request.pageToken, 'page_token')
  const rows = await listRows(database, brand, before, size + 1)
  const page = rows.slice(0, size)
  const campaigns: Campaign[] = []
  for (const row of page) campaigns.push(await viewCampaign(database, row))
  return { campaigns, nextPageToken: rows.length > size ? (page.at(-1)?.campaignId ?? '') : '' }
}
