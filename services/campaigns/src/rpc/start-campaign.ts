import { checkBrand, checkIdempotencyKey, checkUuid } from '@stampede/platform'
import type { StartCampaignRequest, StartCampaignResponse } from '@stampede/proto/campaigns/v1'
import { freezeAudience } from '../audience.ts'
import { announce, statusAfter } from '../change.ts'
import type { Context } from '../context.ts'
import { claimAction, wasTaken } from '../store/actions.ts'
import { changeCampaign, nextCampaignSeq, readCampaign } from '../store/campaigns.ts'
import { insertChunks } from '../store/chunks.ts'
import { viewCampaign } from '../view.ts'

/** Freezes the audience and lets the leader release it. Starting a running campaign again changes nothing. */
export async function startCampaign(context: Context, request: StartCampaignRequest): Promise<StartCampaignResponse> {
  const key = checkIdempotencyKey(request.idempotencyKey)
  const brand = checkBrand(request.brand)
  const campaignId = checkUuid(request.campaignId, 'campaign_id')
  const { database, clock } = context
  const draft = await readCampaign(database, brand, campaignId)
  const call = { brand, key, campaignId, action: 'start' } as const
  if ((await wasTaken(database, call)) || statusAfter(draft, 'start') === undefined)
    return { campaign: await viewCampaign(database, draft) }
  // Read before the lock: analytics may take its time, and nothing else of the campaign can change meanwhile but its status.
  const { chunks, audience, excluded } = await freezeAudience(context, database, brand, draft.segments)
  const row = await database.transaction(async (tx) => {
    const locked = await readCampaign(tx, brand, campaignId, true)
    const now = clock.now()
    if (!(await claimAction(tx, { ...call, now })) || statusAfter(locked, 'start') === undefined) return locked
    await insertChunks(tx, brand, campaignId, chunks)
    const started = await changeCampaign(tx, locked, {
      status: chunks.length === 0 ? 'done' : 'running',
      campaignSeq: await nextCampaignSeq(tx, brand),
      audience: BigInt(audience),
      excluded: BigInt(excluded),
      startedAt: now,
      ...(chunks.length === 0 && { finishedAt: now }),
    })
    await announce(tx, started, now)
    return started
  })
  context.wakeRelay()
  context.wakeLeader()
  return { campaign: await viewCampaign(database, row) }
}
