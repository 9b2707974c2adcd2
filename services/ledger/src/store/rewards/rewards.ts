import type { Sql } from '@stampede/platform'
import { Reward as RewardMessage } from '@stampede/proto/rewards/v1'
import type { Reward, Stock } from '../../domain/rewards/reward.ts'
import { rewardOf } from '../../reward-message.ts'
import { numbers } from '../columns.ts'

/** What finds a reward. */
export interface RewardKey {
  readonly brand: string
  readonly rewardId: string
}

/** A version of a reward as it was published, with its stock. */
export interface StoredReward extends RewardKey {
  readonly version: number
  readonly message: RewardMessage
  readonly stock: Stock
}

/** Pieces of a reward. */
export interface StoredStock extends RewardKey {
  readonly stock: Stock
}

interface RawReward {
  readonly brand: string
  readonly reward_id: string
  readonly version: number
  readonly message: Buffer
  readonly free: bigint | null
  readonly reserved: bigint
  readonly delivered: bigint
}

/** One text for a reward. */
export function rewardText({ brand, rewardId }: RewardKey): string {
  return `${brand}/${rewardId}`
}

/** The newest versions of rewards. */
export async function readRewards(sql: Sql, keys: readonly RewardKey[]): Promise<ReadonlyMap<string, Reward>> {
  if (keys.length === 0) return new Map()
  const rows = await sql.query<Pick<RawReward, 'brand' | 'version' | 'message'>>({
    name: 'ledger-read-rewards',
    text: `SELECT r.brand, r.version, r.message
      FROM (SELECT DISTINCT brand, reward_id FROM unnest($1::text[], $2::text[]) n (brand, reward_id)) k
      CROSS JOIN LATERAL (SELECT * FROM reward WHERE brand = k.brand AND reward_id = k.reward_id
        ORDER BY version DESC LIMIT 1) r`,
    values: [keys.map(({ brand }) => brand), keys.map(({ rewardId }) => rewardId)],
  })
  return new Map(
    rows.map(({ brand, version, message }) => {
      const reward = rewardOf(RewardMessage.decode(message), version)
      return [rewardText({ brand, rewardId: reward.rewardId }), reward]
    }),
  )
}

/** Rewards of a brand by id, after one of a page before. */
export async function listRewards(
  sql: Sql,
  brand: string,
  afterId: string,
  limit: number,
): Promise<readonly StoredReward[]> {
  const rows = await sql.query<RawReward>({
    name: 'ledger-list-rewards',
    text: `SELECT s.brand, s.reward_id, s.free, s.reserved, s.delivered, r.version, r.message FROM reward_stock s
      CROSS JOIN LATERAL (SELECT * FROM reward WHERE brand = s.brand AND reward_id = s.reward_id
        ORDER BY version DESC LIMIT 1) r
      WHERE s.brand = $1 AND s.reward_id > $2 ORDER BY s.reward_id LIMIT $3`,
    values: [brand, afterId, limit],
  })
  return rows.map((row) => ({
    ...stockFromRow(row),
    version: row.version,
    message: RewardMessage.decode(row.message),
  }))
}

/** Adds a version of a reward, and its stock with the first one. */
export async function insertReward(
  tx: Sql,
  { brand, version, message }: Omit<StoredReward, 'rewardId' | 'stock'>,
  now: Date,
): Promise<void> {
  const { rewardId, kind, stocked } = message
  await tx.query('INSERT INTO reward (brand, reward_id, version, message, created_at) VALUES ($1, $2, $3, $4, $5)', [
    brand,
    rewardId,
    version,
    Buffer.from(RewardMessage.encode(message).finish()),
    now,
  ])
  const isCounted = stocked || kind === 'voucher'
  await tx.query(
    `INSERT INTO reward_stock AS s (brand, reward_id, free) VALUES ($1, $2, $3)
     ON CONFLICT (brand, reward_id) DO UPDATE SET free = CASE WHEN $4 THEN coalesce(s.free, 0) END`,
    [brand, rewardId, isCounted ? 0 : null, isCounted],
  )
}

/** Locks stocks, in one order everywhere, until the transaction ends. */
export async function lockStocks(tx: Sql, keys: readonly RewardKey[]): Promise<readonly StoredStock[]> {
  if (keys.length === 0) return []
  const rows = await tx.query<Omit<RawReward, 'version' | 'message'>>({
    name: 'ledger-lock-reward-stocks',
    text: `SELECT s.* FROM reward_stock s
      JOIN (SELECT DISTINCT brand, reward_id FROM unnest($1::text[], $2::text[]) n (brand, reward_id)) k
        USING (brand, reward_id)
      ORDER BY s.brand, s.reward_id FOR UPDATE OF s`,
    values: [keys.map(({ brand }) => brand), keys.map(({ rewardId }) => rewardId)],
  })
  return rows.map(stockFromRow)
}

/** Writes locked stocks. */
export async function writeStocks(tx: Sql, stocks: readonly StoredStock[]): Promise<void> {
  if (stocks.length === 0) return
  await tx.query({
    name: 'ledger-write-reward-stocks',
    text: `UPDATE reward_stock s SET free = n.free, reserved = n.reserved, delivered = n.delivered
      FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
        n (brand, reward_id, free, reserved, delivered)
      WHERE s.brand = n.brand AND s.reward_id = n.reward_id`,
    values: [
      stocks.map(({ brand }) => brand),
      stocks.map(({ rewardId }) => rewardId),
      numbers(stocks.map(({ stock }) => stock.free ?? null)),
      numbers(stocks.map(({ stock }) => stock.reserved)),
      numbers(stocks.map(({ stock }) => stock.delivered)),
    ],
  })
}

function stockFromRow(row: Omit<RawReward, 'version' | 'message'>): StoredStock {
  const stock = { free: row.free ?? undefined, reserved: row.reserved, delivered: row.delivered }
  return { brand: row.brand, rewardId: row.reward_id, stock }
}
