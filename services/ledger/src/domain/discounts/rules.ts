import { addDays, localDay } from '../calendar.ts'
import { type Goods, isOf, type SaleLine } from '../programme.ts'
import type { DiscountEffect } from './effects.ts'

/** A discount that a programme gives by itself. */
export interface DiscountRule {
  /** Unique in the programme. */
  readonly ruleId: string
  /** Item discounts come first, each on the price at the shelf; those of the basket are on what is left after them. */
  readonly phase: 'item' | 'basket'
  readonly effect: DiscountEffect
  /** Makes a percentage smaller as time goes on; undefined: it stays. */
  readonly decay: Decay | undefined
  /** Undefined: all goods. */
  readonly goods: Goods | undefined
  /** Goods of which the basket must have so many pieces; undefined: none in particular. */
  readonly needs: { readonly goods: Goods; readonly pieces: bigint } | undefined
  /** Empty: all stores. */
  readonly stores: ReadonlySet<string>
  /** Half open, Unix milliseconds; infinite where there is no end. */
  readonly fromMs: number
  readonly untilMs: number
  /** Members of these tiers; empty: everybody. */
  readonly tiers: ReadonlySet<string>
  /** Receipts that carry one of these tags; empty: all. */
  readonly tags: ReadonlySet<string>
  /** Tender that the customer declares; empty: any. */
  readonly tender: string
  /** Members who have spent at least so much before this receipt; undefined: everybody. */
  readonly spent: SpentCondition | undefined
  /** Baskets below this get nothing, minor units, before discounts. */
  readonly leastReceiptMinor: bigint
  /** Most that it takes off a receipt; undefined: no limit. */
  readonly limitMinor: bigint | undefined
  /** Of the rules of a group and phase a line gets the one that gives it most. Empty: a group of its own. */
  readonly group: string
  /** A line that gets it gets no other rule of its phase. */
  readonly isExclusive: boolean
  /** Who bears what it costs. */
  readonly funder: string
}

/** Money spent in a time before a receipt. */
export interface SpentCondition {
  readonly fromMinor: bigint
  /** The last so many months; 0: the calendar year. */
  readonly months: number
}

/** A percentage that falls in steps of whole local days from the rule's beginning; below its end there is none. */
export interface Decay {
  readonly stepDays: number
  /** What is left after a step, basis points. */
  readonly factorBasisPoints: bigint
  readonly endBasisPoints: bigint
}

/** What is known of a receipt besides its lines. */
export interface DiscountFacts {
  readonly storeId: string
  /** Unix milliseconds. */
  readonly atMs: number
  readonly timeZone: string
  readonly tierId: string | undefined
  readonly tags: ReadonlySet<string>
  /** Empty: not declared. */
  readonly tender: string
  /** Money spent before this receipt, minor units. */
  readonly spentMinor: (condition: SpentCondition) => bigint
}

/** Why a rule gave what it gave. */
export type DiscountOutcome =
  | 'applied'
  | 'not_now'
  | 'other_store'
  /** By tier, tag, tender or money spent. */
  | 'not_entitled'
  /** The basket is too small, or lacks what the rule needs. */
  | 'no_basket'
  | 'no_goods'
  /** Other rules of its group gave more, or an exclusive one applied. */
  | 'lesser'
  /** Nothing was left below the programme's limits. */
  | 'limit'

/** Whether a rule holds for a receipt; undefined when it does. */
export function discountRefusal(
  rule: DiscountRule,
  lines: readonly SaleLine[],
  facts: DiscountFacts,
): DiscountOutcome | undefined {
  const { storeId, atMs, tierId, tags, tender, spentMinor } = facts
  if (atMs < rule.fromMs || atMs >= rule.untilMs) return 'not_now'
  if (rule.stores.size > 0 && !rule.stores.has(storeId)) return 'other_store'
  if (rule.tiers.size > 0 && (tierId === undefined || !rule.tiers.has(tierId))) return 'not_entitled'
  if (rule.tags.size > 0 && ![...rule.tags].some((tag) => tags.has(tag))) return 'not_entitled'
  if (rule.tender !== '' && rule.tender !== tender) return 'not_entitled'
  if (rule.spent !== undefined && spentMinor(rule.spent) < rule.spent.fromMinor) return 'not_entitled'
  const total = lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)
  if (total < rule.leastReceiptMinor) return 'no_basket'
  const { needs } = rule
  if (needs === undefined) return undefined
  const pieces = lines.reduce((sum, line) => (isOf(needs.goods, line) ? sum + line.quantity : sum), 0n)
  return pieces < needs.pieces ? 'no_basket' : undefined
}

/** The effect of a rule at an instant. */
export function effectAt({ effect, decay, fromMs }: DiscountRule, atMs: number, timeZone: string): DiscountEffect {
  if (decay === undefined || effect.kind !== 'percent' || !Number.isFinite(fromMs)) return effect
  const { stepDays, factorBasisPoints, endBasisPoints } = decay
  const today = localDay(atMs, timeZone)
  let basisPoints = effect.basisPoints
  let day = addDays(localDay(fromMs, timeZone), stepDays)
  while (day <= today && basisPoints >= endBasisPoints && basisPoints > 0n) {
    basisPoints = (basisPoints * factorBasisPoints) / 10_000n
    day = addDays(day, stepDays)
  }
  if (basisPoints < endBasisPoints) basisPoints = 0n
  return { kind: 'percent', basisPoints }
}
