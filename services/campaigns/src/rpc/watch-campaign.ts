import { setTimeout as sleep } from 'node:timers/promises'
import { type CallContext, checkBrand, checkUuid } from '@stampede/platform'
import type { WatchCampaignRequest, WatchCampaignResponse } from '@stampede/proto/campaigns/v1'
import type { Context } from '../context.ts'
import { type CampaignRow, readCampaign } from '../store/campaigns.ts'
import { type ProgressRow, readProgress } from '../store/progress.ts'
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
  const progress = await readProgress(database, row.brand, row.campaignId)
  // Of an aborted campaign, released chunks are still to be reported.
  if (progress.completed >= progress.released && progress.fetched >= progress.accepted) return true
  return clock.nowMs() - lastSign(row, progress) > fetchWindowMs
}

function lastSign({ finishedAt, createdAt }: CampaignRow, { lastAcceptedAt }: ProgressRow): number {
  return Math.max((finishedAt ?? createdAt).getTime(), lastAcceptedAt?.getTime() ?? 0)
}
