import { idempotencyConflict, type Sql } from '@stampede/platform'
import type { CampaignAction } from '../domain/status.ts'

/** A call that changes a campaign, under its idempotency key. */
export interface ActionClaim {
  readonly brand: string
  readonly key: string
  readonly campaignId: string
  readonly action: CampaignAction
  readonly now: Date
}

/** Whether the call has not been made before. Throws IDEMPOTENCY_CONFLICT when its key was another call's. */
export async function claimAction(sql: Sql, claim: ActionClaim): Promise<boolean> {
  const rows = await sql.query(
    `INSERT INTO campaign_action (brand, key, campaign_id, action, at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT DO NOTHING RETURNING action`,
    [claim.brand, claim.key, claim.campaignId, claim.action, claim.now],
  )
  return rows.length === 1 || !(await wasTaken(sql, claim))
}

/** Whether the call was made before. Throws IDEMPOTENCY_CONFLICT when its key was another call's. */
export async function wasTaken(sql: Sql, claim: Omit<ActionClaim, 'now'>): Promise<boolean> {
  const [row] = await sql.query<{ campaign_id: string; action: string }>(
    'SELECT campaign_id, action FROM campaign_action WHERE brand = $1 AND key = $2',
    [claim.brand, claim.key],
  )
  if (row === undefined) return false
  if (row.campaign_id !== claim.campaignId || row.action !== claim.action) throw idempotencyConflict()
  return true
}
