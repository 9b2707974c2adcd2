import { checkBigint, checkInt, checkList, checkText, invalidArgument } from '@stampede/platform'
import type { CouponCampaign, DiscountEffect } from '@stampede/proto/coupons/v1'
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

/** Checks what a discount does; throws INVALID_ARGUMENT naming the field below `at`. */
export function checkEffect(message: DiscountEffect | undefined, at: string): void {
  const effect = message?.effect
  switch (effect?.$case) {
    case 'percentBasisPoints':
      checkInt(effect.value, `${at}.percent_basis_points`, { min: 1, max: 10_000 })
      return
    case 'amountMinor':
      checkBigint(effect.value, `${at}.amount_minor`, { ...amount, min: 1n })
      return
    case 'freePieces':
      checkInt(effect.value, `${at}.free_pieces`, { min: 1, max: 1_000 })
      return
    case 'priceMinor':
      checkBigint(effect.value, `${at}.price_minor`, amount)
      return
    case 'sets': {
      const { take, pay, basisPoints, setsMax } = effect.value
      checkInt(take, `${at}.sets.take`, { min: 2, max: 100 })
      checkInt(pay, `${at}.sets.pay`, { min: 1, max: take - 1 })
      checkInt(basisPoints, `${at}.sets.basis_points`, { min: 0, max: 10_000 })
      checkInt(setsMax, `${at}.sets.sets_max`, { min: 0, max: 1_000 })
      return
    }
    case undefined:
      throw invalidArgument(at, 'must be one of percent, amount, free pieces, sets, price')
  }
}
