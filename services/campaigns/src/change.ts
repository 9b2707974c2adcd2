import { failedPrecondition, type Sql, writeOutbox } from '@stampede/platform'
import type { Campaign } from '@stampede/proto/campaigns/v1'
import type { Context } from './context.ts'
import { type CampaignAction, type CampaignStatus, nextStatus } from './domain/status.ts'
import { campaignChanged, controlChanged } from './events.ts'
import { claimAction } from './store/actions.ts'
import { type CampaignRow, changeCampaign, readCampaign } from './store/campaigns.ts'
import { readProgress } from './store/progress.ts'
import { viewCampaign } from './view.ts'

/** The status that an action leads to; undefined when it is there already. Throws FAILED_PRECONDITION. */
export function statusAfter(row: CampaignRow, action: CampaignAction): CampaignStatus | undefined {
  const next = nextStatus(row.status, action)
  if (next === 'refused') throw failedPrecondition(`a campaign that is ${row.status} cannot ${action}`)
  return next === 'unchanged' ? undefined : next
}

/** Which campaign is to change, and the key by which a repeat of the call is known. */
export interface ChangeRequest {
  readonly brand: string
  readonly campaignId: string
  readonly key: string
}

/** Pauses, resumes or aborts; a repeat with the same key changes nothing, however late it comes. */
export async function changeStatus(
  context: Context,
  { brand, campaignId, key }: ChangeRequest,
  action: Exclude<CampaignAction, 'start'>,
): Promise<Campaign> {
  const { database } = context
  const row = await database.transaction(async (tx) => {
    const before = await readCampaign(tx, brand, campaignId, true)
    const now = context.clock.now()
    if (!(await claimAction(tx, { brand, key, campaignId, action, now }))) return before
    const status = statusAfter(before, action)
    if (status === undefined) return before
    const after = await changeCampaign(tx, before, { status, ...(status === 'aborted' && { finishedAt: now }) })
    await announce(tx, after, now)
    return after
  })
  context.wakeRelay()
  context.wakeLeader()
  return viewCampaign(database, row)
}

/** Writes the campaign's event, and tells the dispatchers. */
export async function announce(tx: Sql, row: CampaignRow, now: Date): Promise<void> {
  const { chunks } = await readProgress(tx, row.brand, row.campaignId)
  await writeOutbox(tx, [campaignChanged(row, chunks, now), controlChanged(row, now)])
}
