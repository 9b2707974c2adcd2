import type { AdvocateCaps, ReferralProgramme } from './programme.ts'

/** What a fingerprint can be of. */
export const fingerprintKinds = ['phone', 'email', 'payment', 'device', 'address'] as const

/** Why a person should look at a referral. */
export type ReviewReason = `shared_${string}` | `returning_${string}` | 'velocity' | 'same_till'

/** What is known when a referral is attributed. */
export interface AttributionFacts {
  /** Kinds of fingerprints that the new member has in common with the advocate. */
  readonly sharedWithAdvocate: readonly string[]
  /** Kinds that it has in common with members who were brought before. */
  readonly sharedWithReferees: readonly string[]
  /** Referrals of the advocate in the last hour, without this one. */
  readonly inLastHour: bigint
}

/** Reasons to look at a referral before anything is given for it. */
export function reviewReasons(
  { sharedWithAdvocate, sharedWithReferees, inLastHour }: AttributionFacts,
  { hourlyReview }: Pick<ReferralProgramme, 'hourlyReview'>,
): readonly ReviewReason[] {
  const isFast = hourlyReview !== undefined && inLastHour >= hourlyReview
  return [
    ...sharedWithAdvocate.map((kind): ReviewReason => `shared_${kind}`),
    ...sharedWithReferees.map((kind): ReviewReason => `returning_${kind}`),
    ...(isFast ? (['velocity'] as const) : []),
  ]
}

/** Rewards that an advocate has had so far. */
export interface RewardCounts {
  readonly day: bigint
  readonly month: bigint
  readonly lifetime: bigint
}

/** Whether an advocate has had as many rewards as allowed. */
export function isCapped(had: RewardCounts, caps: AdvocateCaps): boolean {
  const reaches = (count: bigint, cap: bigint | undefined) => cap !== undefined && count >= cap
  return reaches(had.day, caps.day) || reaches(had.month, caps.month) || reaches(had.lifetime, caps.lifetime)
}
