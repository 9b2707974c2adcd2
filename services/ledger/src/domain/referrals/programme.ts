/** What members get who bring members, as stored with its version. */
export interface ReferralProgramme {
  readonly version: number
  /** Undefined: that side gets nothing for the purchase. */
  readonly advocate: Reward | undefined
  readonly referee: Reward | undefined
  /** Campaign of the coupon that the referee has at once; empty: none. */
  readonly welcomeCampaignId: string
  /** Money of the purchase that counts, at least; minor units. */
  readonly leastPurchaseMinor: bigint
  /** Days after the purchase in which it may be returned. */
  readonly returnDays: number
  /** Days that a touch counts. */
  readonly attributionDays: number
  readonly touch: 'first' | 'last'
  /** Days after the attribution in which the purchase must come; 0: no limit. */
  readonly purchaseDays: number
  /** Rewards of one advocate; undefined: no limit. */
  readonly caps: AdvocateCaps
  /** Referrals of one advocate within an hour from which on they wait for a person; undefined: no limit. */
  readonly hourlyReview: bigint | undefined
  /** Minutes between two receipts of one till that make a person look; 0: not looked at. */
  readonly sameTillMinutes: number
  readonly recurring: RecurringRule | undefined
}

/** What one side gets. */
export type Reward =
  /** `liveDays` of 0 takes the term of the brand's points. */
  | { readonly kind: 'points'; readonly points: bigint; readonly liveDays: number }
  | { readonly kind: 'coupon'; readonly campaignId: string }
  | { readonly kind: 'cash'; readonly moneyMinor: bigint }

/** Rewards of one advocate at most; undefined: no limit. */
export interface AdvocateCaps {
  readonly day: bigint | undefined
  readonly month: bigint | undefined
  readonly lifetime: bigint | undefined
}

/** A share of what an advocate's referees spend. */
export interface RecurringRule {
  readonly basisPoints: bigint
  /** Most per month, minor units; undefined: no limit. */
  readonly monthlyCapMinor: bigint | undefined
  readonly termMonths: number
  readonly unit: 'points' | 'cash'
  /** Days after its end on which a month is closed. */
  readonly closeDays: number
}
