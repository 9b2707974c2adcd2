import { hasBit, passesPerRow, type Sql } from '@stampede/platform'
import type { DoneCampaign } from './pushes.ts'
import type { ReceiptCounts } from './receipts.ts'

/** Whether all of these tables (`schema.table`) are there: a service that never ran has none. */
export async function hasTables(sql: Sql, tables: readonly string[]): Promise<boolean> {
  const missing = await sql.query('SELECT 1 FROM unnest($1::text[]) AS t(name) WHERE to_regclass(name) IS NULL', [
    tables,
  ])
  return missing.length === 0
}

/** How often the ledger holds each of these receipts. */
export async function countReceipts(sql: Sql, ids: readonly string[]): Promise<ReceiptCounts> {
  if (!(await hasTables(sql, ['ledger.receipt']))) return new Map()
  const rows = await sql.query<{ receipt_id: string; times: bigint }>(
    'SELECT receipt_id, count(*) AS times FROM ledger.receipt WHERE receipt_id = ANY($1::uuid[]) GROUP BY receipt_id',
    [ids],
  )
  return new Map(rows.map(({ receipt_id, times }) => [receipt_id, Number(times)]))
}

interface CampaignRow {
  readonly brand: string
  readonly campaign_id: string
  readonly started_at: Date
  readonly finished_at: Date
}

interface ChunkRow {
  readonly base: bigint
  readonly bitmap: Buffer
}

/** Campaigns that are done, oldest first: one that was aborted owes nobody a push. */
export async function readDoneCampaigns(sql: Sql): Promise<readonly DoneCampaign[]> {
  if (!(await hasTables(sql, ['campaigns.campaign', 'pass_render.bump', 'pass_render.pass']))) return []
  const rows = await sql.query<CampaignRow>(
    `SELECT brand, campaign_id::text AS campaign_id, started_at, finished_at FROM campaigns.campaign
      WHERE status = 'done' ORDER BY started_at, campaign_id`,
  )
  const campaigns: DoneCampaign[] = []
  for (const row of rows) {
    const serials: string[] = []
    for (const chunk of await readAudience(sql, row)) serials.push(...(await readSerials(sql, row.brand, chunk)))
    campaigns.push({
      campaignId: row.campaign_id,
      startedAtMs: row.started_at.getTime(),
      finishedAtMs: row.finished_at.getTime(),
      serials,
    })
  }
  return campaigns
}

/** The frozen rows, without those whom pass-render held back because they withdrew after the freeze. */
function readAudience(sql: Sql, { brand, campaign_id }: CampaignRow): Promise<readonly ChunkRow[]> {
  return sql.query<ChunkRow>(
    `SELECT k.base, coalesce(b.bitmap, k.bitmap) AS bitmap FROM campaigns.chunk k
       LEFT JOIN pass_render.bump b ON b.brand = k.brand AND b.message_id = k.campaign_id::text
        AND b.chunk_index = k.chunk_index
      WHERE k.brand = $1 AND k.campaign_id = $2 ORDER BY k.chunk_index`,
    [brand, campaign_id],
  )
}

async function readSerials(sql: Sql, brand: string, { base, bitmap }: ChunkRow): Promise<readonly string[]> {
  const rows = await sql.query<{ no: bigint; serial: string }>(
    'SELECT no, serial::text AS serial FROM pass_render.pass WHERE brand = $1 AND no >= $2 AND no < $3',
    [brand, base, base + BigInt(passesPerRow)],
  )
  return rows.filter(({ no }) => hasBit(bitmap, Number(no - base))).map(({ serial }) => serial)
}
