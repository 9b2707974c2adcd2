import { checkBigint, checkInt, checkText } from '@stampede/platform'
import type { PriceSetRules } from '@stampede/proto/programmes/v1'
import { checkGoods } from './check-programme.ts'
import { FUNDER_CHARACTERS_MAX } from './checks.ts'

const BASIS_POINTS_MAX = 10_000
const DAYS_MAX = 366
const PRODUCTS_MAX = 20
const UNITS_MAX = 1_000_000n

/** Checks a programme's prices of members' own; throws INVALID_ARGUMENT naming the field below `at`. */
export function checkPriceSets(rules: PriceSetRules, at: string): void {
  checkInt(rules.setLiveDays, `${at}.set_live_days`, { min: 0, max: DAYS_MAX })
  const products = rules.setLiveDays === 0 ? { min: 0, max: 0 } : { min: 1, max: PRODUCTS_MAX }
  checkInt(rules.setProductsMax, `${at}.set_products_max`, products)
  checkInt(rules.favouriteBasisPoints, `${at}.favourite_basis_points`, { min: 0, max: BASIS_POINTS_MAX })
  const days = rules.favouriteBasisPoints === 0 ? { min: 0, max: 0 } : { min: 1, max: DAYS_MAX }
  checkInt(rules.favouriteLiveDays, `${at}.favourite_live_days`, days)
  checkGoods(rules.excluded, `${at}.excluded`)
  checkBigint(rules.unitsPerDay, `${at}.units_per_day`, { min: 0n, max: UNITS_MAX })
  checkText(rules.funder, `${at}.funder`, { max: FUNDER_CHARACTERS_MAX })
}
