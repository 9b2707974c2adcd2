import { setTimeout as sleep } from 'node:timers/promises'
import { type CallContext, checkBrand, checkUuid } from '@stampede/platform'
import type { WatchCampaignRequest, WatchCampaignResponse } from '@stampede/proto/campaigns/v1'
import type { Context } from '../context.ts'
import { type CampaignRow, readCampaign } from '../store/campaigns.ts'
import { readProgress } from '../store/progress.ts'
import { viewProgress } from '../view.ts'

const everyMs = 250
const fetchWindowMs = 60_000

/** Progress four times a second, until the campaign is over and its phones have come or had 60 s to. */
export async function* watchCampaign(
  context: Context,
  request: WatchCampaignRequest,
  call: CallContext,
): AsyncGenerator<WatchCampaignResponse> {
  const brand = checkBrand(request.brand)
  const campaignId = checkUuid(request.campaignId, 'campaign_id')
  const { database, clock } = context
  while (!call.signal.aborted) {
    const row = await readCampaign(database, brand, campaignId)
    const isLast = await isOver(context, row)
    yield { status: row.status, progress: await viewProgress(database, row), at: clock.now() }
    if (isLast) return
    await sleep(everyMs, undefined, { signal: call.signal })
  }
}

async function isOver({ database, clock }: Context, row: CampaignRow): Promise<boolean> {
  if (row.status !== 'done' && row.status !== 'aborted') return false
  const { accepted, fetched, lastAcceptedAt } = await readProgress(database, row.brand, row.campaignId)
  if (fetched >= accepted) return true
  const since = (lastAcceptedAt ?? row.finishedAt ?? row.createdAt).getTime()
  return clock.nowMs() - since > fetchWindowMs
}
