import { checkBigint, checkInt, checkList, checkText, invalidArgument } from '@stampede/platform'
import type { TierLadder } from '@stampede/proto/programmes/v1'
import { checkOneOf, idPattern, POINTS_MAX } from './checks.ts'

const TIERS_MAX = 20
const MONTHS_MAX = 60
const GRACE_DAYS_MAX = 365
const EARN_HUNDREDTHS = { min: 100, max: 10_000 }

/** Checks a programme's tiers; throws INVALID_ARGUMENT naming the field below `at`. */
export function checkLadder(ladder: TierLadder, at: string): void {
  const tiers = checkList(ladder.tiers, `${at}.tiers`, { min: 1, max: TIERS_MAX })
  for (const [index, tier] of tiers.entries()) {
    const one = `${at}.tiers[${index}]`
    checkText(tier.tierId, `${one}.tier_id`, { min: 1, max: 40, pattern: idPattern })
    if (tiers.findIndex(({ tierId }) => tierId === tier.tierId) < index) {
      throw invalidArgument(`${one}.tier_id`, 'is taken')
    }
    const below = tiers[index - 1]?.threshold ?? 0n
    checkBigint(tier.threshold, `${one}.threshold`, { min: below + 1n, max: POINTS_MAX })
    if (tier.earnHundredths !== 0) checkInt(tier.earnHundredths, `${one}.earn_hundredths`, EARN_HUNDREDTHS)
    checkBigint(tier.entryPoints, `${one}.entry_points`, { min: 0n, max: POINTS_MAX })
  }
  checkOneOf(ladder.metric, `${at}.metric`, ['', 'spend', 'points', 'visits'])
  checkOneOf(ladder.window, `${at}.window`, ['', 'calendar_year', 'anniversary', 'rolling'])
  const months = ladder.window === 'rolling' ? { min: 1, max: MONTHS_MAX } : { min: 0, max: 0 }
  checkInt(ladder.rollingMonths, `${at}.rolling_months`, months)
  checkInt(ladder.holdMonths, `${at}.hold_months`, months)
  checkInt(ladder.graceDays, `${at}.grace_days`, { min: 0, max: GRACE_DAYS_MAX })
  checkOneOf(ladder.upgrade, `${at}.upgrade`, ['', 'immediate', 'next_window'])
  checkOneOf(ladder.downgrade, `${at}.downgrade`, ['', 'reassess', 'one_step', 'never'])
}
