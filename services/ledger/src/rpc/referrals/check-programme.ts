import { checkBigint, checkInt, checkText, invalidArgument, notFound, type Sql } from '@stampede/platform'
import type { RecurringReward, ReferralProgramme, ReferralReward } from '@stampede/proto/referrals/v1'
import { readCampaign } from '../../store/coupons/campaigns.ts'
import { checkOneOf, idPattern, POINTS_MAX } from '../checks.ts'

const DAYS_MAX = 365
const LONG_DAYS_MAX = 3_650
const MINUTES_MAX = 1_440
const TERM_MONTHS_MAX = 120
const CLOSE_DAYS_MAX = 28
const BASIS = 10_000
const amount = { min: 0n, max: POINTS_MAX }

/** Checks a programme; throws INVALID_ARGUMENT naming the field. */
export function checkReferralProgramme(programme: ReferralProgramme): void {
  const field = (name: string) => `programme.${name}`
  checkReward(programme.advocate, field('advocate'))
  checkReward(programme.referee, field('referee'))
  checkText(programme.welcomeCampaignId, field('welcome_campaign_id'), { max: 40 })
  checkInt(programme.returnDays, field('return_days'), { min: 0, max: DAYS_MAX })
  checkInt(programme.attributionDays, field('attribution_days'), { min: 1, max: DAYS_MAX })
  checkOneOf(programme.touch, field('touch'), ['', 'first', 'last'])
  checkInt(programme.purchaseDays, field('purchase_days'), { min: 0, max: LONG_DAYS_MAX })
  checkInt(programme.sameTillMinutes, field('same_till_minutes'), { min: 0, max: MINUTES_MAX })
  for (const [name, value] of [
    ['least_purchase_minor', programme.leastPurchaseMinor],
    ['daily_cap', programme.dailyCap],
    ['monthly_cap', programme.monthlyCap],
    ['lifetime_cap', programme.lifetimeCap],
    ['hourly_review', programme.hourlyReview],
  ] as const) {
    checkBigint(value, field(name), amount)
  }
  if (programme.recurring !== undefined) checkRecurring(programme.recurring, field('recurring'))
}

/** Checks that the campaigns of a programme are there; throws NOT_FOUND otherwise. */
export async function checkCampaigns(sql: Sql, brand: string, programme: ReferralProgramme): Promise<void> {
  const rewards = [programme.advocate?.reward, programme.referee?.reward]
  const ids = rewards.flatMap((reward) => (reward?.$case === 'campaignId' ? [reward.value] : []))
  const { welcomeCampaignId } = programme
  for (const id of welcomeCampaignId === '' ? ids : [...ids, welcomeCampaignId]) {
    if ((await readCampaign(sql, brand, id)) === undefined) throw notFound()
  }
}

function checkReward(message: ReferralReward | undefined, at: string): void {
  if (message === undefined) return
  const { reward, liveDays } = message
  switch (reward?.$case) {
    case undefined:
      throw invalidArgument(at, 'must have a reward, or be left out')
    case 'points':
      checkBigint(reward.value, `${at}.points`, { min: 1n, max: POINTS_MAX })
      break
    case 'campaignId':
      checkText(reward.value, `${at}.campaign_id`, { min: 1, max: 40, pattern: idPattern })
      break
    case 'cashMinor':
      checkBigint(reward.value, `${at}.cash_minor`, { min: 1n, max: POINTS_MAX })
      break
  }
  checkInt(liveDays, `${at}.live_days`, { min: 0, max: LONG_DAYS_MAX })
}

function checkRecurring(recurring: RecurringReward, at: string): void {
  checkInt(recurring.basisPoints, `${at}.basis_points`, { min: 1, max: BASIS })
  checkBigint(recurring.monthlyCapMinor, `${at}.monthly_cap_minor`, amount)
  checkInt(recurring.termMonths, `${at}.term_months`, { min: 1, max: TERM_MONTHS_MAX })
  checkOneOf(recurring.unit, `${at}.unit`, ['points', 'cash'])
  checkInt(recurring.closeDays, `${at}.close_days`, { min: 0, max: CLOSE_DAYS_MAX })
}
