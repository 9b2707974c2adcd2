import { type Sql, StampedeError } from '@stampede/platform'
import type { CouponCampaign } from '../../domain/coupons/coupon.ts'
import { numbers } from '../columns.ts'

/** Part of a campaign's budget: the whole of it where `scope` is empty, else a store's day. */
export interface BudgetKey {
  readonly brand: string
  readonly campaignId: string
  readonly scope: string
}

/** What a part has cost so far. */
export interface BudgetRow extends BudgetKey {
  readonly uses: bigint
  readonly moneyMinor: bigint
}

/** What one use of a coupon counts for, in the whole budget and in the scope's part of it. */
export interface BudgetShare extends BudgetKey {
  readonly moneyMinor: bigint
}

/** One text for a part of a budget. */
export function budgetText({ brand, campaignId, scope }: BudgetKey): string {
  return `${brand}/${campaignId}/${scope}`
}

/** The parts of a budget that a use in a scope counts in. */
export function budgetParts({ brand, campaignId, scope }: BudgetKey): readonly BudgetKey[] {
  return ['', scope].map((one) => ({ brand, campaignId, scope: one }))
}

/** The parts of a budget after a use, or after one that is given back; those that `find` does not know are left out. */
export function partsAfter(
  share: BudgetShare,
  change: 'use' | 'give_back',
  find: (text: string) => BudgetRow | undefined,
): readonly BudgetRow[] {
  const sign = change === 'use' ? 1n : -1n
  return budgetParts(share).flatMap((key) => {
    const before = find(budgetText(key))
    if (before === undefined) return []
    return [{ ...before, uses: before.uses + sign, moneyMinor: before.moneyMinor + sign * share.moneyMinor }]
  })
}

/** Throws COUPON_BUDGET_SPENT when parts of a budget are overdrawn. */
export function checkBudget({ budget }: CouponCampaign, parts: readonly BudgetRow[], field?: string): void {
  const isAbove = (used: bigint, limit: bigint | undefined) => limit !== undefined && used > limit
  for (const { scope, uses, moneyMinor } of parts) {
    const isOver =
      scope === ''
        ? isAbove(uses, budget.uses) || isAbove(moneyMinor, budget.moneyMinor)
        : isAbove(uses, budget.storeDayUses)
    if (isOver) throw new StampedeError('COUPON_BUDGET_SPENT', undefined, field === undefined ? {} : { field })
  }
}

/**
 * Gives uses back to budgets and then takes one out; throws COUPON_BUDGET_SPENT when there is no room for it. To be
 * called once and last in a transaction: the rows are locked until its end.
 */
export async function changeBudgets(
  tx: Sql,
  back: readonly BudgetShare[],
  taken?: { readonly share: BudgetShare; readonly campaign: CouponCampaign },
): Promise<void> {
  const shares = taken === undefined ? back : [...back, taken.share]
  const rows = new Map((await lockBudgets(tx, shares.flatMap(budgetParts))).map((row) => [budgetText(row), row]))
  const count = (share: BudgetShare, change: 'use' | 'give_back') => {
    const parts = partsAfter(share, change, (text) => rows.get(text))
    for (const part of parts) rows.set(budgetText(part), part)
    return parts
  }
  for (const share of back) count(share, 'give_back')
  if (taken !== undefined) checkBudget(taken.campaign, count(taken.share, 'use'))
  await writeBudgets(tx, [...rows.values()])
}

/**
 * Parts of budgets, made where they are missing and locked until the transaction ends. Nothing else locks them, and each
 * transaction does it once, after all its other locks: by campaign and scope, in the order of the database, so that no
 * two transactions wait for each other.
 */
export async function lockBudgets(tx: Sql, keys: readonly BudgetKey[]): Promise<readonly BudgetRow[]> {
  if (keys.length === 0) return []
  const values = [
    keys.map(({ brand }) => brand),
    keys.map(({ campaignId }) => campaignId),
    keys.map(({ scope }) => scope),
  ]
  const rows = await tx.query<{ brand: string; campaign_id: string; scope: string; uses: bigint; money_minor: bigint }>(
    {
      name: 'ledger-lock-coupon-budgets',
      text: `INSERT INTO coupon_budget AS b (brand, campaign_id, scope, uses, money_minor)
      SELECT DISTINCT brand, campaign_id, scope, 0, 0
      FROM unnest($1::text[], $2::text[], $3::text[]) k (brand, campaign_id, scope) ORDER BY brand, campaign_id, scope
      ON CONFLICT (brand, campaign_id, scope) DO UPDATE SET uses = b.uses RETURNING *`,
      values,
    },
  )
  return rows.map(({ brand, campaign_id: campaignId, scope, uses, money_minor: moneyMinor }) => {
    return { brand, campaignId, scope, uses, moneyMinor }
  })
}

/** Writes locked parts of budgets as they are now. */
export async function writeBudgets(tx: Sql, budgets: readonly BudgetRow[]): Promise<void> {
  if (budgets.length === 0) return
  await tx.query({
    name: 'ledger-write-coupon-budgets',
    text: `UPDATE coupon_budget b SET uses = n.uses, money_minor = n.money_minor
      FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
        n (brand, campaign_id, scope, uses, money_minor)
      WHERE b.brand = n.brand AND b.campaign_id = n.campaign_id AND b.scope = n.scope`,
    values: [
      budgets.map(({ brand }) => brand),
      budgets.map(({ campaignId }) => campaignId),
      budgets.map(({ scope }) => scope),
      numbers(budgets.map(({ uses }) => uses)),
      numbers(budgets.map(({ moneyMinor }) => moneyMinor)),
    ],
  })
}
