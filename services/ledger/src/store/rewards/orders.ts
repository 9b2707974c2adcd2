import type { Sql } from '@stampede/platform'
import type { RewardOrder } from '../../domain/rewards/order.ts'
import { instants, numbers, plain } from '../columns.ts'
import { drawsOf } from '../draws.ts'
import type { BrandId } from '../keys.ts'

/** An order as stored. */
export interface StoredOrder extends RewardOrder {
  readonly brand: string
  /** Grows with every change. */
  readonly version: bigint
}

interface RawOrder {
  readonly brand: string
  readonly order_id: string
  readonly member_id: string
  readonly reward_id: string
  readonly reward_version: number
  readonly quantity: number
  readonly cancelled: number
  readonly points: bigint
  readonly surcharge_minor: bigint
  readonly state: RewardOrder['state']
  readonly placed_at: Date
  readonly cancel_until: Date
  readonly spend_lots: readonly string[]
  readonly spend_points: readonly bigint[]
  readonly version: bigint
}

const COLUMNS = `o.brand, o.order_id, o.member_id, o.reward_id, o.reward_version, o.quantity, o.cancelled, o.points,
  o.surcharge_minor, o.state, o.placed_at, o.cancel_until, o.spend_lots::text[], o.spend_points, o.version`

/** Locks orders, in one order everywhere, until the transaction ends; those that are not there are left out. */
export async function lockOrders(tx: Sql, ids: readonly BrandId[]): Promise<readonly StoredOrder[]> {
  if (ids.length === 0) return []
  const rows = await tx.query<RawOrder>({
    name: 'ledger-lock-reward-orders',
    text: `SELECT ${COLUMNS} FROM reward_order o
      JOIN (SELECT DISTINCT brand, order_id FROM unnest($1::text[], $2::uuid[]) n (brand, order_id)) k
        ON k.order_id = o.order_id AND k.brand = o.brand
      ORDER BY o.brand, o.order_id FOR UPDATE OF o`,
    values: [ids.map(({ brand }) => brand), plain(ids.map(({ id }) => id))],
  })
  return rows.map(orderFromRow)
}

/** Orders of a member, newest first. */
export async function readMemberOrders(
  sql: Sql,
  brand: string,
  memberId: string,
  limit: number,
): Promise<readonly StoredOrder[]> {
  const rows = await sql.query<RawOrder>({
    name: 'ledger-read-member-reward-orders',
    text: `SELECT ${COLUMNS} FROM reward_order o WHERE member_id = $2 AND brand = $1 ORDER BY order_id DESC LIMIT $3`,
    values: [brand, memberId, limit],
  })
  return rows.map(orderFromRow)
}

/** Pieces of a reward that members have, cancelled ones left out. */
export interface Owned {
  readonly brand: string
  readonly memberId: string
  readonly rewardId: string
  readonly pieces: bigint
}

/** How much members have of rewards; the members' accounts are locked. */
export async function countOwned(sql: Sql, keys: readonly Omit<Owned, 'pieces'>[]): Promise<readonly Owned[]> {
  if (keys.length === 0) return []
  const rows = await sql.query<{ brand: string; member_id: string; reward_id: string; pieces: bigint }>({
    name: 'ledger-count-owned-rewards',
    text: `SELECT o.brand, o.member_id, o.reward_id, sum(o.quantity - o.cancelled)::bigint AS pieces
      FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::uuid[], $3::text[]) n (brand, member_id, reward_id)) k
      JOIN reward_order o ON o.member_id = k.member_id AND o.brand = k.brand AND o.reward_id = k.reward_id
      GROUP BY o.brand, o.member_id, o.reward_id`,
    values: [
      keys.map(({ brand }) => brand),
      plain(keys.map(({ memberId }) => memberId)),
      keys.map(({ rewardId }) => rewardId),
    ],
  })
  return rows.map((row) => ({
    brand: row.brand,
    memberId: row.member_id,
    rewardId: row.reward_id,
    pieces: row.pieces,
  }))
}

/** Stores new orders and what became of locked ones. */
export async function writeOrders(tx: Sql, orders: readonly StoredOrder[]): Promise<void> {
  if (orders.length === 0) return
  await tx.query({
    name: 'ledger-write-reward-orders',
    text: `INSERT INTO reward_order (brand, order_id, member_id, reward_id, reward_version, quantity, cancelled, points,
        surcharge_minor, state, placed_at, cancel_until, spend_lots, spend_points, version)
      SELECT n.brand, n.order_id, n.member_id, n.reward_id, n.reward_version, n.quantity, n.cancelled, n.points,
        n.surcharge_minor, n.state, n.placed_at, n.cancel_until, n.spend_lots::uuid[], n.spend_points::bigint[], n.version
      FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::integer[], $6::integer[], $7::integer[],
        $8::bigint[], $9::bigint[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::text[],
        $15::bigint[]) n (brand, order_id, member_id, reward_id, reward_version, quantity, cancelled, points,
        surcharge_minor, state, placed_at, cancel_until, spend_lots, spend_points, version)
      ON CONFLICT (order_id, brand) DO UPDATE SET cancelled = excluded.cancelled, state = excluded.state,
        version = excluded.version`,
    values: [
      orders.map(({ brand }) => brand),
      plain(orders.map(({ orderId }) => orderId)),
      plain(orders.map(({ memberId }) => memberId)),
      orders.map(({ rewardId }) => rewardId),
      numbers(orders.map(({ rewardVersion }) => rewardVersion)),
      numbers(orders.map(({ quantity }) => quantity)),
      numbers(orders.map(({ cancelled }) => cancelled)),
      numbers(orders.map(({ points }) => points)),
      numbers(orders.map(({ surchargeMinor }) => surchargeMinor)),
      plain(orders.map(({ state }) => state)),
      instants(orders.map(({ placedAtMs }) => placedAtMs)),
      instants(orders.map(({ cancelUntilMs }) => cancelUntilMs)),
      orders.map(({ spendDraws }) => plain(spendDraws.map(({ lotId }) => lotId))),
      orders.map(({ spendDraws }) => numbers(spendDraws.map(({ points }) => points))),
      numbers(orders.map(({ version }) => version)),
    ],
  })
}

function orderFromRow(row: RawOrder): StoredOrder {
  return {
    brand: row.brand,
    orderId: row.order_id,
    memberId: row.member_id,
    rewardId: row.reward_id,
    rewardVersion: row.reward_version,
    quantity: BigInt(row.quantity),
    cancelled: BigInt(row.cancelled),
    points: row.points,
    surchargeMinor: row.surcharge_minor,
    state: row.state,
    placedAtMs: row.placed_at.getTime(),
    cancelUntilMs: row.cancel_until.getTime(),
    spendDraws: drawsOf(row.spend_lots, row.spend_points),
    version: row.version,
  }
}
