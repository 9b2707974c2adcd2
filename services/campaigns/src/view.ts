import type { Sql } from '@stampede/platform'
import type { Campaign, Progress } from '@stampede/proto/campaigns/v1'
import type { CampaignRow } from './store/campaigns.ts'
import { readProgress, readReasons } from './store/progress.ts'

/** A campaign as its callers see it. */
export async function viewCampaign(sql: Sql, row: CampaignRow): Promise<Campaign> {
  return {
    campaignId: row.campaignId,
    brand: row.brand,
    name: row.name,
    status: row.status,
    segments: [...row.segments],
    texts: row.texts.map(({ locale, text }) => ({ locale, text })),
    maxPerSecond: row.maxPerSecond,
    progress: await viewProgress(sql, row),
    createdAt: row.createdAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
  }
}

/** A campaign's counters as its callers see them. */
export async function viewProgress(sql: Sql, row: CampaignRow): Promise<Progress> {
  const sums = await readProgress(sql, row.brand, row.campaignId)
  return {
    audience: row.audience,
    excluded: row.excluded,
    recipients: sums.recipients,
    sent: sums.accepted + sums.failed,
    accepted: sums.accepted,
    failed: sums.failed,
    aborted: sums.aborted,
    fetched: sums.fetched,
    fetchedWithin60s: sums.fetchedWithin60s,
    failuresByReason: await readReasons(sql, row.brand, row.campaignId),
    duplicates: sums.duplicates,
    chunks: sums.chunks,
    chunksReleased: sums.released,
    chunksDone: sums.completed,
  }
}
