import type { Sql } from '@stampede/platform'

/** One released chunk of a campaign. */
export interface NewBump {
  readonly campaignId: string
  readonly campaignSeq: bigint
  readonly index: number
  readonly base: bigint
  /** Only those who may be told: consent and status are applied before. */
  readonly bitmap: Buffer
  /** stampede.events.v1.CampaignMessage */
  readonly message: Buffer
}

/** Stores a chunk's row; false when it is there already (a redelivery). */
export async function insertBump(tx: Sql, brand: string, bump: NewBump, now: Date): Promise<boolean> {
  await tx.query(
    `INSERT INTO campaign (brand, campaign_id, campaign_seq, message) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
    [brand, bump.campaignId, bump.campaignSeq, bump.message],
  )
  const rows = await tx.query(
    `INSERT INTO bump (brand, base, campaign_seq, campaign_id, chunk_index, bitmap, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING 1`,
    [brand, bump.base, bump.campaignSeq, bump.campaignId, bump.index, bump.bitmap, now],
  )
  return rows.length > 0
}

/** Numbers in the row that must not be told: no consent, blocked or erased. */
export async function silentNumbers(tx: Sql, brand: string, base: bigint, count: number): Promise<readonly bigint[]> {
  const rows = await tx.query<{ no: bigint }>(
    `SELECT no FROM pass WHERE brand = $1 AND no >= $2 AND no < $2::bigint + $3::int
     AND NOT (marketing_consent AND status = 'active')`,
    [brand, base, count],
  )
  return rows.map((row) => row.no)
}

/** When a campaign's chunk was stored, and its tokens attached. */
export async function bumpTime(sql: Sql, brand: string, campaignId: string, index: number): Promise<Date | undefined> {
  const rows = await sql.query<{ created_at: Date }>(
    `SELECT u.created_at FROM campaign c JOIN bump u ON u.brand = c.brand AND u.campaign_seq = c.campaign_seq
     WHERE c.brand = $1 AND c.campaign_id = $2 AND u.chunk_index = $3`,
    [brand, campaignId, index],
  )
  return rows[0]?.created_at
}
