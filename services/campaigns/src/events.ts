import { type CampaignControl, makeEvent, type OutboxMessage, subjects, uuidv7 } from '@stampede/platform'
import type { CampaignStatus } from './domain/status.ts'
import type { CampaignRow } from './store/campaigns.ts'
import type { ChunkRow } from './store/chunks.ts'

/** The campaign as it is now. */
export function campaignChanged(row: CampaignRow, chunks: number, now: Date): OutboxMessage {
  const { campaignId, name, status, campaignSeq, audience } = row
  return makeEvent(
    {
      brand: row.brand,
      aggregateKind: 'campaign',
      aggregateId: campaignId,
      aggregateVersion: row.version,
      eventTime: now,
      schema: 'campaigns.campaign.v1',
      payload: { $case: 'campaign', value: { campaignId, name, status, campaignSeq, audience, chunks } },
    },
    now,
  )
}

/** What dispatchers are told of a campaign: through the outbox, so that a slower call never overwrites a later one. */
export function controlChanged({ brand, campaignId, status }: CampaignRow, now: Date): OutboxMessage {
  const control = controlOf(status)
  // An empty value is no control: a campaign that is over is forgotten.
  const payload = control === undefined ? new Uint8Array(0) : Buffer.from(JSON.stringify(control))
  return { subject: subjects.control(brand, campaignId), id: uuidv7(now.getTime()), payload }
}

function controlOf(status: CampaignStatus): CampaignControl | undefined {
  return status === 'running' || status === 'paused' || status === 'aborted' ? { status } : undefined
}

/** A row of the audience whose turn has come. */
export function chunkReleased(row: CampaignRow, chunk: ChunkRow, now: Date): OutboxMessage {
  return makeEvent(
    {
      brand: row.brand,
      aggregateKind: 'chunk',
      aggregateId: `${row.campaignId}/${chunk.index}`,
      aggregateVersion: 1n,
      eventTime: now,
      schema: 'campaigns.chunk.v1',
      payload: {
        $case: 'chunk',
        value: {
          campaignId: row.campaignId,
          campaignSeq: row.campaignSeq,
          index: chunk.index,
          base: chunk.base,
          bitmap: chunk.bitmap,
          message: { texts: row.texts.map(({ locale, text }) => ({ locale, text })) },
          coversEverybody: coversEverybody(row),
        },
      },
    },
    now,
  )
}

function coversEverybody({ segments, excluded }: CampaignRow): boolean {
  return segments.includes('all') && excluded === 0n
}
