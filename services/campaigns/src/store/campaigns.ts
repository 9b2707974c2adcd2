import { notFound, type Sql } from '@stampede/platform'
import type { MessageText } from '../domain/message.ts'
import { type CampaignStatus, toStatus } from '../domain/status.ts'

/** A campaign as stored. */
export interface CampaignRow {
  readonly brand: string
  readonly campaignId: string
  readonly name: string
  readonly status: CampaignStatus
  readonly segments: readonly string[]
  readonly texts: readonly MessageText[]
  readonly maxPerSecond: number
  readonly campaignSeq: bigint
  readonly audience: bigint
  readonly excluded: bigint
  readonly nextReleaseAt: Date | undefined
  readonly version: bigint
  readonly createdAt: Date
  readonly startedAt: Date | undefined
  readonly finishedAt: Date | undefined
}

interface RawRow {
  readonly brand: string
  readonly campaign_id: string
  readonly name: string
  readonly status: string
  readonly segments: string[]
  readonly texts: MessageText[]
  readonly max_per_second: number
  readonly campaign_seq: bigint | null
  readonly audience: bigint
  readonly excluded: bigint
  readonly next_release_at: Date | null
  readonly version: bigint
  readonly created_at: Date
  readonly started_at: Date | null
  readonly finished_at: Date | null
}

const columns = `brand, campaign_id, name, status, segments, texts, max_per_second, campaign_seq, audience, excluded,
  next_release_at, version, created_at, started_at, finished_at`

function toRow(raw: RawRow): CampaignRow {
  return {
    brand: raw.brand,
    campaignId: raw.campaign_id,
    name: raw.name,
    status: toStatus(raw.status),
    segments: raw.segments,
    texts: raw.texts,
    maxPerSecond: raw.max_per_second,
    campaignSeq: raw.campaign_seq ?? 0n,
    audience: raw.audience,
    excluded: raw.excluded,
    nextReleaseAt: raw.next_release_at ?? undefined,
    version: raw.version,
    createdAt: raw.created_at,
    startedAt: raw.started_at ?? undefined,
    finishedAt: raw.finished_at ?? undefined,
  }
}

/** What a new campaign is made of. */
export interface NewCampaign {
  readonly brand: string
  readonly campaignId: string
  readonly name: string
  readonly segments: readonly string[]
  readonly texts: readonly MessageText[]
  readonly maxPerSecond: number
  readonly createKey: string
  readonly createHash: Buffer
  readonly now: Date
}

/** Inserts a campaign; gives the one of the same key, and whether its body was the same, when it is there already. */
export async function insertCampaign(
  sql: Sql,
  campaign: NewCampaign,
): Promise<{ readonly campaignId: string; readonly sameBody: boolean }> {
  const rows = await sql.query<{ campaign_id: string; create_hash: Buffer }>(
    `INSERT INTO campaign (brand, campaign_id, name, status, segments, texts, max_per_second, create_key, create_hash, created_at)
     VALUES ($1, $2, $3, 'draft', $4, $5, $6, $7, $8, $9)
     ON CONFLICT (brand, create_key) DO UPDATE SET create_key = excluded.create_key
     RETURNING campaign_id, create_hash`,
    [
      campaign.brand,
      campaign.campaignId,
      campaign.name,
      campaign.segments,
      JSON.stringify(campaign.texts),
      campaign.maxPerSecond,
      campaign.createKey,
      campaign.createHash,
      campaign.now,
    ],
  )
  const [row] = rows
  if (row === undefined) throw new Error('an upsert returns its row')
  return { campaignId: row.campaign_id, sameBody: campaign.createHash.equals(row.create_hash) }
}

/** Reads a campaign; with `lock` nobody else changes it until the transaction ends. Throws NOT_FOUND. */
export async function readCampaign(sql: Sql, brand: string, campaignId: string, lock = false): Promise<CampaignRow> {
  const text = `SELECT ${columns} FROM campaign WHERE brand = $1 AND campaign_id = $2${lock ? ' FOR UPDATE' : ''}`
  const [raw] = await sql.query<RawRow>(text, [brand, campaignId])
  if (raw === undefined) throw notFound()
  return toRow(raw)
}

/** A page of campaigns, newest first, older than `before` when that is given. */
export async function listCampaigns(
  sql: Sql,
  brand: string,
  before: string | undefined,
  limit: number,
): Promise<readonly CampaignRow[]> {
  const rows = await sql.query<RawRow>(
    `SELECT ${columns} FROM campaign WHERE brand = $1 AND ($2::uuid IS NULL OR campaign_id < $2)
      ORDER BY campaign_id DESC LIMIT $3`,
    [brand, before ?? null, limit],
  )
  return rows.map(toRow)
}

/** A running campaign that no other replica works on, locked; `after` is the last one looked at. */
export async function lockRunning(
  sql: Sql,
  after: { readonly brand: string; readonly campaignId: string },
): Promise<CampaignRow | undefined> {
  const [raw] = await sql.query<RawRow>({
    name: 'campaign-lock-running',
    text: `SELECT ${columns} FROM campaign
            WHERE status = 'running' AND (brand, campaign_id) > ($1, $2::uuid)
            ORDER BY brand, campaign_id LIMIT 1 FOR UPDATE SKIP LOCKED`,
    values: [after.brand, after.campaignId],
  })
  return raw === undefined ? undefined : toRow(raw)
}

/** The next sequence of a brand's campaigns. */
export async function nextCampaignSeq(sql: Sql, brand: string): Promise<bigint> {
  const [row] = await sql.query<{ campaign_seq: bigint }>(
    `INSERT INTO brand_sequence (brand, campaign_seq) VALUES ($1, 1)
     ON CONFLICT (brand) DO UPDATE SET campaign_seq = brand_sequence.campaign_seq + 1 RETURNING campaign_seq`,
    [brand],
  )
  if (row === undefined) throw new Error('an upsert returns its row')
  return row.campaign_seq
}

/** What a change of a campaign sets. */
export interface CampaignChange {
  readonly status: CampaignStatus
  readonly campaignSeq?: bigint
  readonly audience?: bigint
  readonly excluded?: bigint
  readonly startedAt?: Date
  readonly finishedAt?: Date
}

/** Changes a locked campaign and raises its version; gives it as it is then. */
export async function changeCampaign(sql: Sql, row: CampaignRow, change: CampaignChange): Promise<CampaignRow> {
  const [raw] = await sql.query<RawRow>(
    `UPDATE campaign SET status = $3, version = version + 1,
       campaign_seq = coalesce($4, campaign_seq), audience = coalesce($5, audience), excluded = coalesce($6, excluded),
       started_at = coalesce($7, started_at), finished_at = coalesce($8, finished_at)
     WHERE brand = $1 AND campaign_id = $2 RETURNING ${columns}`,
    [
      row.brand,
      row.campaignId,
      change.status,
      change.campaignSeq ?? null,
      change.audience ?? null,
      change.excluded ?? null,
      change.startedAt ?? null,
      change.finishedAt ?? null,
    ],
  )
  if (raw === undefined) throw notFound()
  return toRow(raw)
}

/** Stores when the rate allows the next chunk. */
export async function setNextRelease(sql: Sql, row: CampaignRow, nextReleaseAt: Date): Promise<void> {
  await sql.query('UPDATE campaign SET next_release_at = $3 WHERE brand = $1 AND campaign_id = $2', [
    row.brand,
    row.campaignId,
    nextReleaseAt,
  ])
}
