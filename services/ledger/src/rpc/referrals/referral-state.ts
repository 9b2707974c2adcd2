import type { Referral as ReferralMessage } from '@stampede/proto/referrals/v1'
import type { Referral } from '../../domain/referrals/referral.ts'
import { amountOf, type StoredReward } from '../../store/referrals/rewards.ts'

/** A referral as callers see it, with those of the rewards that are its own. */
export function referralMessage(referral: Referral, rewards: readonly StoredReward[]): ReferralMessage {
  const { purchase } = referral
  return {
    referralId: referral.referralId,
    advocateId: referral.advocateId,
    refereeId: referral.refereeId,
    version: referral.version,
    attributedAt: new Date(referral.attributedAtMs),
    state: referral.state,
    review: referral.review,
    reviewReasons: [...referral.reviewReasons],
    receiptId: purchase?.receiptId ?? '',
    windowEndsAt: purchase === undefined ? undefined : new Date(purchase.windowEndsAtMs),
    rewards: rewards
      .filter(({ referralId }) => referralId === referral.referralId)
      .map(({ side, reward, state }) => ({ side, kind: reward.kind, amount: amountOf(reward), state })),
  }
}
