import type { Database } from '@stampede/platform'
import { changeBudgets } from './budget.ts'

interface Released {
  readonly brand: string
  readonly campaign_id: string
  readonly locked_money_minor: bigint
  readonly locked_scope: string
}

/** Gives back the budget of reservations whose deadline has passed, of up to `limit` coupons; answers how many. */
export async function releaseExpired(database: Database, now: Date, limit: number): Promise<number> {
  return database.transaction(async (tx) => {
    const rows = await tx.query<Released>({
      name: 'ledger-release-expired-coupons',
      text: `WITH expired AS (SELECT brand, code, campaign_id, locked_money_minor, locked_scope FROM coupon
          WHERE locked_until <= $1 ORDER BY locked_until LIMIT $2 FOR UPDATE SKIP LOCKED)
        UPDATE coupon c SET locked_by = '', locked_until = NULL, locked_money_minor = 0, locked_scope = '',
          version = version + 1
        FROM expired e WHERE c.brand = e.brand AND c.code = e.code
        RETURNING e.brand, e.campaign_id, e.locked_money_minor, e.locked_scope`,
      values: [now, limit],
    })
    const back = rows.map(({ brand, campaign_id: campaignId, locked_scope: scope, locked_money_minor: moneyMinor }) => {
      return { brand, campaignId, scope, moneyMinor }
    })
    await changeBudgets(tx, back)
    return rows.length
  })
}
