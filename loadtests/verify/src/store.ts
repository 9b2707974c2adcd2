import type { Sql } from '@stampede/platform'
import type { DoneCampaign } from './pushes.ts'
import type { ReceiptCounts } from './receipts.ts'

/** How often the ledger holds each of these receipts. */
export async function countReceipts(sql: Sql, ids: readonly string[]): Promise<ReceiptCounts> {
  const rows = await sql.query<{ receipt_id: string; times: bigint }>(
    'SELECT receipt_id, count(*) AS times FROM ledger.receipt WHERE receipt_id = ANY($1::uuid[]) GROUP BY receipt_id',
    [ids],
  )
  return new Map(rows.map(({ receipt_id, times }) => [receipt_id, Number(times)]))
}

interface ChunkRow {
  readonly campaign_id: string
  readonly brand: string
  readonly started_at: Date
  readonly base: bigint
  readonly bitmap: Buffer
}

const passesPerRow = 8_192

/** Campaigns that are done, with the serials of their frozen audiences. */
export async function readDoneCampaigns(sql: Sql): Promise<readonly DoneCampaign[]> {
  const chunks = await sql.query<ChunkRow>(
    `SELECT c.campaign_id::text AS campaign_id, c.brand, c.started_at, k.base, k.bitmap
       FROM campaigns.campaign c JOIN campaigns.chunk k USING (brand, campaign_id)
      WHERE c.status = 'done' ORDER BY c.started_at, k.base`,
  )
  const campaigns = new Map<string, DoneCampaign & { serials: string[] }>()
  for (const chunk of chunks) {
    const campaignId = chunk.campaign_id
    const known = campaigns.get(campaignId) ?? { campaignId, startedAtMs: chunk.started_at.getTime(), serials: [] }
    campaigns.set(campaignId, known)
    known.serials.push(...(await readSerials(sql, chunk)))
  }
  return [...campaigns.values()]
}

async function readSerials(sql: Sql, { brand, base, bitmap }: ChunkRow): Promise<readonly string[]> {
  const rows = await sql.query<{ no: bigint; serial: string }>(
    'SELECT no, serial::text AS serial FROM pass_render.pass WHERE brand = $1 AND no >= $2 AND no < $3',
    [brand, base, base + BigInt(passesPerRow)],
  )
  return rows.filter(({ no }) => isInBitmap(bitmap, Number(no - base))).map(({ serial }) => serial)
}

/** Bit i, least significant first. */
export function isInBitmap(bitmap: Uint8Array, bit: number): boolean {
  return ((bitmap[bit >> 3] ?? 0) >> (bit & 7)) % 2 === 1
}
