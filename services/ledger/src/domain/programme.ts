import type { Coalition } from './coalition.ts'
import type { DiscountLimits } from './discounts/basket.ts'
import type { PriceSetRules } from './discounts/member-prices.ts'
import type { DiscountRule } from './discounts/rules.ts'
import type { GiftCardRules } from './gift-cards/rules.ts'
import type { StampCard } from './stamps/card.ts'
import type { TierLadder } from './tiers/ladder.ts'

/** How points are earned and spent, as stored with its version. */
export interface Programme {
  readonly version: number
  /** Receipts that occurred from this instant on use it; Unix milliseconds, -Infinity for all. */
  readonly effectiveAtMs: number
  /** Basis points of the money paid, 0 to 10,000. */
  readonly earnBasisPoints: bigint
  /** How long points live. */
  readonly life: Life
  /** When earned points become spendable. */
  readonly activation: Activation
  /** What a return may take back. */
  readonly returnPolicy: ReturnPolicy
  /** What becomes of points that come back to a lot that has ended meanwhile. */
  readonly restorePolicy: RestorePolicy
  /** Share of new points that repays what the member owes, basis points, 0 to 10,000. */
  readonly repayBasisPoints: bigint
  /** Most points that a member may owe; what is beyond is forgiven. Undefined: no limit. */
  readonly debtLimit: bigint | undefined
  /** Who bears what points cost. */
  readonly funder: string
  /** Receipts before this instant earn nothing; Unix milliseconds, -Infinity where there is no start. */
  readonly startsAtMs: number
  /** Receipts from this instant on earn nothing; infinite where there is no end. */
  readonly earnUntilMs: number
  /** From this instant on points are gone and pay nothing; infinite where there is no end. */
  readonly spendUntilMs: number
  /** Adjustments by hand of more points wait for a second person. */
  readonly adjustLimit: bigint
  /** Most points that a member's receipts of tills without a connection take on a day; 0: none. */
  readonly offlinePayLimit: bigint
  /** Most points of a transfer; 0: there are none. */
  readonly transferLimit: bigint
  /** Undefined: there are no tiers. */
  readonly ladder: TierLadder | undefined
  readonly discountRules: readonly DiscountRule[]
  readonly discountLimits: DiscountLimits
  /** Undefined: members have no prices of their own. */
  readonly priceSets: PriceSetRules | undefined
  readonly stampCards: readonly StampCard[]
  /** Undefined: the brand is alone. */
  readonly coalition: Coalition | undefined
  /** Undefined: there are no gift cards. */
  readonly giftCards: GiftCardRules | undefined
  /** Basis points of each line that points may pay, 0 to 10,000. */
  readonly maxPayBasisPoints: bigint
  /** Value of one point in minor units of money, at least 1. */
  readonly pointValueMinor: bigint
  /** Default life of a hold in seconds. */
  readonly holdSeconds: number
  /** What goods earn on top; extras of different groups add up. */
  readonly earnRules: readonly EarnRule[]
  /** Goods that earn nothing, not even by a rule. */
  readonly earnsNothing: Goods
  /** Goods that points may not pay. */
  readonly neverPaid: Goods
  /** Most points that a receipt earns; undefined: no limit. */
  readonly earnLimit: bigint | undefined
  /** Points pay in steps of so many, at least 1. */
  readonly payStep: bigint
  /** Fewer points than these do not pay. */
  readonly payLeastPoints: bigint
  /** Receipts below this are not paid with points, in minor units. */
  readonly payLeastReceiptMinor: bigint
}

/** How long points live, in the brand's time zone: from the day on which they become spendable. */
export interface Life {
  readonly term:
    | { readonly kind: 'unlimited' }
    /** Through so many further days. */
    | { readonly kind: 'days'; readonly days: number }
    /** To the end of the same day so many months later, or of that month's last day. */
    | { readonly kind: 'months'; readonly months: number }
    /** To the end of the next of these days of the year, `MM-DD`. */
    | { readonly kind: 'dates'; readonly dates: readonly string[] }
  /** Lengthens a term to the end of the period that it ends in. */
  readonly roundUpTo: 'month' | 'quarter' | 'half_year' | 'year' | undefined
  /** Whether every purchase begins the term of all live points anew. */
  readonly isSliding: boolean
}

/** When earned points become spendable. */
export type Activation =
  | { readonly kind: 'immediate' }
  /** At the start of the day so many days after the receipt's. */
  | { readonly kind: 'delay'; readonly days: number }
  /** When somebody says so; points that nobody activates in so many days are taken back. */
  | { readonly kind: 'event'; readonly timeoutDays: number }

/**
 * What a return may take back of what the sale earned: only what is still pending, or what the member has, or all of
 * it, which may make debt.
 */
export type ReturnPolicy = 'only_pending' | 'within_balance' | 'unlimited'

/**
 * Points that come back to a lot that has ended: they end at once, or live through at least so many further days, or
 * a new term.
 */
export type RestorePolicy =
  | { readonly kind: 'original_expiry' }
  | { readonly kind: 'grace'; readonly days: number }
  | { readonly kind: 'new_term' }

/** A choice of goods; with neither it is none. */
export interface Goods {
  readonly skus: ReadonlySet<string>
  readonly categories: ReadonlySet<string>
}

/** What a rule gives on top of the base, for each line that it holds for. */
export type EarnEffect =
  /** The base so many times, in hundredths: 200 doubles it. */
  | { readonly kind: 'times'; readonly hundredths: bigint }
  /** So much more of the money paid. */
  | { readonly kind: 'added'; readonly basisPoints: bigint }
  /** For each piece of a line that money paid a part of. */
  | { readonly kind: 'piece'; readonly points: bigint }

/** A rule about what receipts earn on top of the base. */
export interface EarnRule {
  readonly ruleId: string
  /** Undefined: all goods. */
  readonly goods: Goods | undefined
  /** Empty: all stores. */
  readonly stores: ReadonlySet<string>
  /** Half open, Unix milliseconds; infinite where there is no end. */
  readonly fromMs: number
  readonly untilMs: number
  readonly effect: EarnEffect
  /** Most points that it gives a receipt; undefined: no limit. */
  readonly limit: bigint | undefined
  /** Of the rules of a group a line gets the one that gives it most. Empty: a group of its own. */
  readonly group: string
  /** Receipts that carry one of these tags; undefined: all. */
  readonly tags?: ReadonlySet<string>
}

/** A line as the till sent it. */
export interface SaleLine {
  readonly sku: string
  readonly quantity: bigint
  /** Value of the whole line in minor units. */
  readonly amountMinor: bigint
  readonly category: string
}

const noGoods: Goods = { skus: new Set(), categories: new Set() }

/** A programme without any rule beyond its rates. */
export const noRules = {
  activation: { kind: 'immediate' },
  returnPolicy: 'unlimited',
  restorePolicy: { kind: 'grace', days: 14 },
  repayBasisPoints: 10_000n,
  debtLimit: undefined,
  funder: '',
  startsAtMs: Number.NEGATIVE_INFINITY,
  earnUntilMs: Number.POSITIVE_INFINITY,
  spendUntilMs: Number.POSITIVE_INFINITY,
  adjustLimit: 0n,
  transferLimit: 0n,
  offlinePayLimit: 0n,
  ladder: undefined,
  discountRules: [],
  stampCards: [],
  coalition: undefined,
  discountLimits: { receiptBasisPoints: 10_000n, lineLeastBasisPoints: 0n },
  priceSets: undefined,
  giftCards: undefined,
  earnRules: [],
  earnsNothing: noGoods,
  neverPaid: noGoods,
  earnLimit: undefined,
  payStep: 1n,
  payLeastPoints: 0n,
  payLeastReceiptMinor: 0n,
} as const satisfies Partial<Programme>

/** Whether a line is of the goods. */
export function isOf(goods: Goods, line: Pick<SaleLine, 'sku' | 'category'>): boolean {
  return goods.skus.has(line.sku) || (line.category !== '' && goods.categories.has(line.category))
}

/** The version that a receipt of this instant uses: the highest that is effective by then. */
export function programmeAt<Version extends Pick<Programme, 'version' | 'effectiveAtMs'>>(
  versions: readonly Version[],
  atMs: number,
): Version | undefined {
  let found: Version | undefined
  for (const programme of versions) {
    if (programme.effectiveAtMs <= atMs && (found === undefined || programme.version > found.version)) found = programme
  }
  return found
}
