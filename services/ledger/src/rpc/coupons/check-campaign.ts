import { checkBigint, checkInt, checkList, checkText, invalidArgument } from '@stampede/platform'
import type { CouponCampaign } from '@stampede/proto/coupons/v1'
import { checkEffect } from '../check-discounts.ts'
import { checkGoods } from '../check-programme.ts'
import { FUNDER_CHARACTERS_MAX, idPattern, NUMBER_CHARACTERS_MAX, POINTS_MAX } from '../checks.ts'

const STORES_MAX = 1_000
const VALID_DAYS_MAX = 3_650
const USES_MAX = 1_000_000n
const amount = { min: 0n, max: POINTS_MAX }

/** Checks a campaign; throws INVALID_ARGUMENT naming the field. */
export function checkCampaign(campaign: CouponCampaign): void {
  const field = (name: string) => `campaign.${name}`
  checkText(campaign.campaignId, field('campaign_id'), { min: 1, max: 40, pattern: idPattern })
  checkEffect(campaign.effect, field('effect'))
  checkGoods(campaign.goods, field('goods'))
  if (campaign.goods !== undefined && campaign.goods.skus.length + campaign.goods.categories.length === 0) {
    throw invalidArgument(field('goods'), 'must name goods, or be left out for all')
  }
  for (const [index, store] of checkList(campaign.stores, field('stores'), { max: STORES_MAX }).entries()) {
    checkText(store, field(`stores[${index}]`), { min: 1, max: NUMBER_CHARACTERS_MAX })
  }
  const { from, until } = campaign
  if (from !== undefined && until !== undefined && from >= until) {
    throw invalidArgument(field('until'), 'must be after from')
  }
  checkInt(campaign.validDays, field('valid_days'), { min: 0, max: VALID_DAYS_MAX })
  checkBigint(campaign.usesPerCode, field('uses_per_code'), { min: 1n, max: USES_MAX })
  checkText(campaign.funder, field('funder'), { max: FUNDER_CHARACTERS_MAX })
  for (const [name, value] of [
    ['least_receipt_minor', campaign.leastReceiptMinor],
    ['uses_per_member', campaign.usesPerMember],
    ['budget_uses', campaign.budgetUses],
    ['budget_money_minor', campaign.budgetMoneyMinor],
    ['budget_store_day_uses', campaign.budgetStoreDayUses],
  ] as const) {
    checkBigint(value, field(name), amount)
  }
}
