import type { Sql } from '@stampede/platform'
import { SubscriptionPlan as PlanMessage } from '@stampede/proto/subscriptions/v1'
import type { SubscriptionPlan } from '../../domain/subscriptions/plan.ts'
import { planOf } from '../../plan-message.ts'

/** Versions of a plan that are read, the newest ones. */
const VERSIONS_MAX = 1_000

/** A version of a plan as it was published. */
export interface StoredPlan {
  readonly version: number
  readonly message: PlanMessage
  readonly publishedAtMs: number
}

/** Versions of a plan, oldest first; empty for a plan nobody published. */
export async function readPlans(sql: Sql, brand: string, planId: string): Promise<readonly StoredPlan[]> {
  const rows = await sql.query<{ version: number; message: Buffer; created_at: Date }>({
    name: 'ledger-read-subscription-plans',
    text: `SELECT version, message, created_at FROM subscription_plan WHERE brand = $1 AND plan_id = $2
      ORDER BY version DESC LIMIT $3`,
    values: [brand, planId, VERSIONS_MAX],
  })
  return rows
    .map(({ version, message, created_at }) => ({
      version,
      message: PlanMessage.decode(message),
      publishedAtMs: created_at.getTime(),
    }))
    .toReversed()
}

/** The rules of all versions, oldest first. */
export async function readPlanRules(sql: Sql, brand: string, planId: string): Promise<readonly SubscriptionPlan[]> {
  const plans = await readPlans(sql, brand, planId)
  return plans.map(({ version, message, publishedAtMs }) => planOf(message, version, publishedAtMs))
}

/** Adds a version; one that is there already fails the transaction. */
export async function insertPlan(
  tx: Sql,
  brand: string,
  { version, message, publishedAtMs }: StoredPlan,
): Promise<void> {
  await tx.query(
    'INSERT INTO subscription_plan (brand, plan_id, version, message, created_at) VALUES ($1, $2, $3, $4, $5)',
    [brand, message.planId, version, Buffer.from(PlanMessage.encode(message).finish()), new Date(publishedAtMs)],
  )
}
