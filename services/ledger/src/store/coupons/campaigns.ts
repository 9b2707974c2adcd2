import type { Sql } from '@stampede/platform'
import { CouponCampaign as CampaignMessage } from '@stampede/proto/coupons/v1'

/** A version of a campaign as it was published. */
export interface StoredCampaign {
  readonly version: number
  readonly message: CampaignMessage
}

/** The version in force; undefined for a campaign nobody published. */
export async function readCampaign(sql: Sql, brand: string, campaignId: string): Promise<StoredCampaign | undefined> {
  const [row] = await sql.query<{ version: number; message: Buffer }>({
    name: 'ledger-read-coupon-campaign',
    text: `SELECT version, message FROM coupon_campaign WHERE brand = $1 AND campaign_id = $2
      ORDER BY version DESC LIMIT 1`,
    values: [brand, campaignId],
  })
  return row === undefined ? undefined : { version: row.version, message: CampaignMessage.decode(row.message) }
}

/** Adds a version; one that is there already fails the transaction. */
export async function insertCampaign(
  tx: Sql,
  brand: string,
  { version, message }: StoredCampaign,
  now: Date,
): Promise<void> {
  await tx.query(
    'INSERT INTO coupon_campaign (brand, campaign_id, version, message, created_at) VALUES ($1, $2, $3, $4, $5)',
    [brand, message.campaignId, version, Buffer.from(CampaignMessage.encode(message).finish()), now],
  )
}

/** What a campaign has cost so far, reservations included. */
export async function readSpent(
  sql: Sql,
  brand: string,
  campaignId: string,
): Promise<{ readonly uses: bigint; readonly moneyMinor: bigint }> {
  const [row] = await sql.query<{ uses: bigint; money_minor: bigint }>({
    name: 'ledger-read-coupon-spent',
    text: `SELECT uses, money_minor FROM coupon_budget WHERE brand = $1 AND campaign_id = $2 AND scope = ''`,
    values: [brand, campaignId],
  })
  return { uses: row?.uses ?? 0n, moneyMinor: row?.money_minor ?? 0n }
}
