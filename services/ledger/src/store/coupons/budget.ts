import { type Sql, StampedeError } from '@stampede/platform'
import type { CouponCampaign } from '../../domain/coupons/coupon.ts'

/** A part of a campaign's budget. */
export interface BudgetShare {
  readonly brand: string
  /** Store and day, `store/YYYY-MM-DD`. */
  readonly scope: string
  readonly moneyMinor: bigint
}

/**
 * Takes one use and its money out of the budget of the campaign and of the store's day; COUPON_BUDGET_SPENT when one has no room.
 * To be called last in a transaction: the rows are locked until its end.
 */
export async function takeBudget(tx: Sql, campaign: CouponCampaign, share: BudgetShare): Promise<void> {
  const { budget, campaignId } = campaign
  await take(tx, campaignId, share, { scope: '', uses: budget.uses, moneyMinor: budget.moneyMinor })
  await take(tx, campaignId, share, { scope: share.scope, uses: budget.storeDayUses, moneyMinor: undefined })
}

/** Gives a use and its money back. */
export async function giveBudgetBack(tx: Sql, campaignId: string, share: BudgetShare): Promise<void> {
  await tx.query({
    name: 'ledger-give-coupon-budget-back',
    text: `UPDATE coupon_budget SET uses = uses - 1, money_minor = money_minor - $4
      WHERE brand = $1 AND campaign_id = $2 AND scope IN ('', $3)`,
    values: [share.brand, campaignId, share.scope, share.moneyMinor],
  })
}

async function take(
  tx: Sql,
  campaignId: string,
  { brand, moneyMinor }: BudgetShare,
  limit: { readonly scope: string; readonly uses: bigint | undefined; readonly moneyMinor: bigint | undefined },
): Promise<void> {
  const rows = await tx.query({
    name: 'ledger-take-coupon-budget',
    text: `INSERT INTO coupon_budget AS b (brand, campaign_id, scope, uses, money_minor)
      SELECT $1, $2, $3, 1, $4::bigint WHERE ($5::bigint IS NULL OR $5 >= 1) AND ($6::bigint IS NULL OR $6 >= $4)
      ON CONFLICT (brand, campaign_id, scope) DO UPDATE SET uses = b.uses + 1, money_minor = b.money_minor + $4
      WHERE ($5 IS NULL OR b.uses < $5) AND ($6 IS NULL OR b.money_minor + $4 <= $6)
      RETURNING 1`,
    values: [brand, campaignId, limit.scope, moneyMinor, limit.uses ?? null, limit.moneyMinor ?? null],
  })
  if (rows.length === 0) throw new StampedeError('COUPON_BUDGET_SPENT')
}
