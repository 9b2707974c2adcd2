import { failedPrecondition, putControl, type Sql, writeOutbox } from '@stampede/platform'
import type { Campaign } from '@stampede/proto/campaigns/v1'
import type { Context } from './context.ts'
import { type CampaignAction, type CampaignStatus, nextStatus } from './domain/status.ts'
import { campaignChanged } from './events.ts'
import { type CampaignRow, changeCampaign, readCampaign } from './store/campaigns.ts'
import { readProgress } from './store/progress.ts'
import { viewCampaign } from './view.ts'

/** The status that an action leads to; undefined when it is there already. Throws FAILED_PRECONDITION. */
export function statusAfter(row: CampaignRow, action: CampaignAction): CampaignStatus | undefined {
  const next = nextStatus(row.status, action)
  if (next === 'refused') throw failedPrecondition(`a campaign that is ${row.status} cannot ${action}`)
  return next === 'unchanged' ? undefined : next
}

/** Pauses, resumes or aborts: the row first, then the bucket that dispatchers watch. A repeat repairs a bucket that a crash left behind. */
export async function changeStatus(
  context: Context,
  brand: string,
  campaignId: string,
  action: Exclude<CampaignAction, 'start'>,
): Promise<Campaign> {
  const { database, nats } = context
  const row = await database.transaction(async (tx) => {
    const before = await readCampaign(tx, brand, campaignId, true)
    const status = statusAfter(before, action)
    if (status === undefined) return before
    const now = context.clock.now()
    const after = await changeCampaign(tx, before, { status, ...(status === 'aborted' && { finishedAt: now }) })
    await announce(tx, after, now)
    return after
  })
  await putControl(nats, brand, campaignId, { status: controlOf(row.status) })
  context.wakeRelay()
  context.wakeLeader()
  return viewCampaign(database, row)
}

/** Writes the campaign's event. */
export async function announce(tx: Sql, row: CampaignRow, now: Date): Promise<void> {
  const { chunks } = await readProgress(tx, row.brand, row.campaignId)
  await writeOutbox(tx, [campaignChanged(row, chunks, now)])
}

function controlOf(status: CampaignStatus): 'running' | 'paused' | 'aborted' {
  return status === 'paused' || status === 'aborted' ? status : 'running'
}
