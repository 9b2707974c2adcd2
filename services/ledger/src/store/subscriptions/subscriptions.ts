import type { Sql } from '@stampede/platform'
import type { Subscription } from '../../domain/subscriptions/subscription.ts'

interface RawSubscription {
  readonly brand: string
  readonly subscription_id: string
  readonly member_id: string
  readonly plan_id: string
  readonly started_at: Date
  readonly cancelled_at: Date | null
  readonly version: bigint
}

/** A subscription, locked until the transaction ends. */
export async function lockSubscription(
  tx: Sql,
  brand: string,
  subscriptionId: string,
): Promise<Subscription | undefined> {
  const [row] = await tx.query<RawSubscription>({
    name: 'ledger-lock-subscription',
    text: 'SELECT * FROM subscription WHERE subscription_id = $2 AND brand = $1 FOR UPDATE',
    values: [brand, subscriptionId],
  })
  return row && fromRow(row)
}

/** Makes a member's subscription of a plan unless there is one; answers the one there is, locked. */
export async function ensureSubscription(tx: Sql, wanted: Subscription): Promise<Subscription> {
  await tx.query({
    name: 'ledger-ensure-subscription',
    text: `INSERT INTO subscription (brand, subscription_id, member_id, plan_id, started_at, version)
      VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (member_id, brand, plan_id) DO NOTHING`,
    values: [
      wanted.brand,
      wanted.subscriptionId,
      wanted.memberId,
      wanted.planId,
      new Date(wanted.startedAtMs),
      wanted.version,
    ],
  })
  const [row] = await tx.query<RawSubscription>({
    name: 'ledger-lock-subscription-of',
    text: 'SELECT * FROM subscription WHERE member_id = $2 AND brand = $1 AND plan_id = $3 FOR UPDATE',
    values: [wanted.brand, wanted.memberId, wanted.planId],
  })
  return row === undefined ? wanted : fromRow(row)
}

/** Writes a locked subscription as it is now; answers it with its new version. */
export async function writeSubscription(tx: Sql, subscription: Subscription): Promise<Subscription> {
  const { brand, subscriptionId, startedAtMs, cancelledAtMs } = subscription
  const version = subscription.version + 1n
  await tx.query({
    name: 'ledger-write-subscription',
    text: `UPDATE subscription SET started_at = $3, cancelled_at = $4, version = $5
      WHERE subscription_id = $2 AND brand = $1`,
    values: [
      brand,
      subscriptionId,
      new Date(startedAtMs),
      cancelledAtMs === undefined ? null : new Date(cancelledAtMs),
      version,
    ],
  })
  return { ...subscription, version }
}

/** Subscriptions of a member, by plan. */
export async function readSubscriptions(sql: Sql, brand: string, memberId: string): Promise<readonly Subscription[]> {
  const rows = await sql.query<RawSubscription>({
    name: 'ledger-read-subscriptions',
    text: 'SELECT * FROM subscription WHERE member_id = $2 AND brand = $1 ORDER BY plan_id',
    values: [brand, memberId],
  })
  return rows.map(fromRow)
}

/**
 * Whether the member, or anybody with the same fingerprint, has had a trial. Who asks for the same person gets it one after
 * the other.
 */
export async function lockTrialOf(tx: Sql, brand: string, memberId: string): Promise<boolean> {
  await tx.query(
    `SELECT pg_advisory_xact_lock(hashtextextended('ledger.trial.' || name, 0)) FROM (
       SELECT DISTINCT $1 || '/' || hash AS name FROM member_fingerprint WHERE member_id = $2 AND brand = $1
       UNION SELECT $1 || '/' || $2::text ORDER BY name) names`,
    [brand, memberId],
  )
  const rows = await tx.query({
    name: 'ledger-read-trial-of',
    text: `SELECT FROM subscription_term t WHERE t.brand = $1 AND t.is_trial AND t.member_id IN (
        SELECT $2::uuid UNION SELECT o.member_id FROM member_fingerprint f
        JOIN member_fingerprint o ON o.hash = f.hash AND o.kind = f.kind AND o.brand = f.brand
        WHERE f.member_id = $2 AND f.brand = $1) LIMIT 1`,
    values: [brand, memberId],
  })
  return rows.length > 0
}

function fromRow(row: RawSubscription): Subscription {
  return {
    brand: row.brand,
    subscriptionId: row.subscription_id,
    memberId: row.member_id,
    planId: row.plan_id,
    startedAtMs: row.started_at.getTime(),
    cancelledAtMs: row.cancelled_at?.getTime(),
    version: row.version,
  }
}
