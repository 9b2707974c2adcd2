import { checkBigint, checkInt, checkList } from '@stampede/platform'
import type { GiftCardRules } from '@stampede/proto/programmes/v1'
import { POINTS_MAX } from './checks.ts'

const VALUES_MAX = 20
const LIVE_DAYS_MAX = 3_650

/** Checks how a programme's gift cards are; throws INVALID_ARGUMENT naming the field below `at`. */
export function checkGiftCards({ valuesMinor, liveDays, reloadMostMinor }: GiftCardRules, at: string): void {
  for (const [index, value] of checkList(valuesMinor, `${at}.values_minor`, { min: 1, max: VALUES_MAX }).entries()) {
    checkBigint(value, `${at}.values_minor[${index}]`, { min: 1n, max: POINTS_MAX })
  }
  checkInt(liveDays, `${at}.live_days`, { min: 0, max: LIVE_DAYS_MAX })
  checkBigint(reloadMostMinor, `${at}.reload_most_minor`, { min: 0n, max: POINTS_MAX })
}
