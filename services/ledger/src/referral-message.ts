import type {
  ReferralProgramme as ProgrammeMessage,
  RecurringReward,
  ReferralReward,
} from '@stampede/proto/referrals/v1'
import { limitOf } from './discount-message.ts'
import type { RecurringRule, ReferralProgramme, Reward } from './domain/referrals/programme.ts'

/** A checked message as the domain knows it. */
export function referralProgrammeOf(message: ProgrammeMessage, version: number): ReferralProgramme {
  return {
    version,
    advocate: rewardOf(message.advocate),
    referee: rewardOf(message.referee),
    welcomeCampaignId: message.welcomeCampaignId,
    leastPurchaseMinor: message.leastPurchaseMinor,
    returnDays: message.returnDays,
    attributionDays: message.attributionDays,
    touch: message.touch === 'first' ? 'first' : 'last',
    purchaseDays: message.purchaseDays,
    caps: {
      day: limitOf(message.dailyCap),
      month: limitOf(message.monthlyCap),
      lifetime: limitOf(message.lifetimeCap),
    },
    hourlyReview: limitOf(message.hourlyReview),
    sameTillMinutes: message.sameTillMinutes,
    recurring: recurringOf(message.recurring),
  }
}

function rewardOf(message: ReferralReward | undefined): Reward | undefined {
  const { reward } = message ?? {}
  switch (reward?.$case) {
    case undefined:
      return undefined
    case 'points':
      return { kind: 'points', points: reward.value, liveDays: message?.liveDays ?? 0 }
    case 'campaignId':
      return { kind: 'coupon', campaignId: reward.value }
    case 'cashMinor':
      return { kind: 'cash', moneyMinor: reward.value }
  }
}

function recurringOf(message: RecurringReward | undefined): RecurringRule | undefined {
  if (message === undefined) return undefined
  return {
    basisPoints: BigInt(message.basisPoints),
    monthlyCapMinor: limitOf(message.monthlyCapMinor),
    termMonths: message.termMonths,
    unit: message.unit === 'points' ? 'points' : 'cash',
    closeDays: message.closeDays,
  }
}
