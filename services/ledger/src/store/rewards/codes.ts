import type { Sql } from '@stampede/platform'
import type { RewardKey } from './rewards.ts'

/** Adds codes of a voucher; answers the first that is there already. The stock is locked. */
export async function addCodes(
  tx: Sql,
  { brand, rewardId }: RewardKey,
  codes: readonly string[],
): Promise<{ readonly taken: string | undefined }> {
  const rows = await tx.query<{ code: string }>({
    name: 'ledger-add-reward-codes',
    text: `INSERT INTO reward_code (brand, reward_id, code) SELECT $1, $2, code FROM unnest($3::text[]) code
      ON CONFLICT DO NOTHING RETURNING code`,
    values: [brand, rewardId, codes],
  })
  const added = new Set(rows.map(({ code }) => code))
  return { taken: codes.find((code) => !added.has(code)) }
}

/** Gives an order so many free codes; the stock, which counts them, is locked. */
export async function takeCodes(
  tx: Sql,
  { brand, rewardId }: RewardKey,
  orderId: string,
  count: bigint,
): Promise<void> {
  await tx.query({
    name: 'ledger-take-reward-codes',
    text: `UPDATE reward_code c SET order_id = $3 FROM (SELECT code FROM reward_code
        WHERE reward_id = $2 AND brand = $1 AND order_id IS NULL LIMIT $4) f
      WHERE c.brand = $1 AND c.reward_id = $2 AND c.code = f.code`,
    values: [brand, rewardId, orderId, count],
  })
}

/** Takes so many codes of an order back that nobody has seen; the order is locked. */
export async function freeCodes(tx: Sql, brand: string, orderId: string, count: bigint): Promise<void> {
  await tx.query({
    name: 'ledger-free-reward-codes',
    text: `UPDATE reward_code c SET order_id = NULL FROM (SELECT reward_id, code FROM reward_code
        WHERE order_id = $2 AND brand = $1 ORDER BY code DESC LIMIT $3) f
      WHERE c.brand = $1 AND c.reward_id = f.reward_id AND c.code = f.code`,
    values: [brand, orderId, count],
  })
}

/** Codes of orders, by order. */
export async function readCodes(
  sql: Sql,
  brand: string,
  orderIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await sql.query<{ order_id: string; codes: readonly string[] }>({
    name: 'ledger-read-reward-codes',
    text: `SELECT order_id, array_agg(code ORDER BY code) AS codes FROM reward_code
      WHERE order_id = ANY ($2::uuid[]) AND brand = $1 GROUP BY order_id`,
    values: [brand, [...orderIds]],
  })
  return new Map(rows.map(({ order_id, codes }) => [order_id, codes]))
}
