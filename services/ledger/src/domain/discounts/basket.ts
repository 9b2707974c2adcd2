import { type CouponCampaign, couponDiscount } from '../coupons/coupon.ts'
import { isOf, type SaleLine } from '../programme.ts'
import { allocate, smaller, sum } from '../shares.ts'
import { discountOf } from './effects.ts'
import { type DiscountFacts, type DiscountOutcome, type DiscountRule, discountRefusal, effectAt } from './rules.ts'

/** A coupon shown with a basket. */
export interface ShownCoupon {
  /** Normalized. */
  readonly code: string
  readonly campaign: CouponCampaign
}

/** Limits of all discounts of a receipt. */
export interface DiscountLimits {
  /** Most that they take off all of it, basis points of the price at the shelf. */
  readonly receiptBasisPoints: bigint
  /** Least that is left of each line, basis points of its price at the shelf. */
  readonly lineLeastBasisPoints: bigint
}

/** A discount that was given. */
export interface GivenDiscount {
  /** Rule, or `coupon` and its campaign. */
  readonly sourceId: string
  readonly funder: string
  /** Code of a coupon; empty for a rule's. */
  readonly code: string
  /** Of each line, minor units. */
  readonly parts: readonly bigint[]
}

/** A step of how the discounts came about, in the order of decision. */
export interface DiscountStep {
  readonly sourceId: string
  readonly outcome: DiscountOutcome
  readonly minor: bigint
}

/** A basket after its discounts. */
export interface DiscountedBasket {
  /** What is left to pay of each line, as lines of their own. */
  readonly lines: readonly SaleLine[]
  /** Taken off each line, minor units. */
  readonly discounts: readonly bigint[]
  readonly given: readonly GivenDiscount[]
  readonly steps: readonly DiscountStep[]
}

/** Discounts of a basket that nothing takes anything off. */
export function undiscounted(lines: readonly SaleLine[]): DiscountedBasket {
  return { lines, discounts: lines.map(() => 0n), given: [], steps: [] }
}

const BASIS = 10_000n

/**
 * Discounts of a basket: those of items on the price at the shelf, then those of the basket, then coupons in the order in
 * which they were shown, each on what is left. Inside a phase of a group's rules a line gets the one that gives it most;
 * equal ones go by their order. The same basket, rules and facts give the same result.
 */
export function discountBasket(
  lines: readonly SaleLine[],
  rules: readonly DiscountRule[],
  facts: DiscountFacts,
  more: { readonly coupons: readonly ShownCoupon[]; readonly limits: DiscountLimits },
): DiscountedBasket {
  if (rules.length === 0 && more.coupons.length === 0) return undiscounted(lines)
  const basket = new Basket(lines, more.limits)
  for (const phase of ['item', 'basket'] as const) {
    const own = rules.filter((rule) => rule.phase === phase)
    applyPhase(basket, own, facts)
  }
  for (const { code, campaign } of more.coupons) {
    const parts = couponDiscount(campaign, basket.left())
    const source = { sourceId: `coupon/${campaign.campaignId}`, funder: campaign.funder, code }
    basket.give(source, parts, sum(parts) > 0n ? 'applied' : 'no_goods')
  }
  return basket.done()
}

/** A basket in work: hands out what the limits leave. */
class Basket {
  readonly #lines: readonly SaleLine[]
  readonly #discounts: bigint[]
  readonly #limits: DiscountLimits
  readonly #given: GivenDiscount[] = []
  readonly #steps: DiscountStep[] = []

  constructor(lines: readonly SaleLine[], limits: DiscountLimits) {
    this.#lines = lines
    this.#limits = limits
    this.#discounts = lines.map(() => 0n)
  }

  /** The lines at what is left of their prices. */
  left(): readonly SaleLine[] {
    return this.#lines.map((line, index) => {
      return { ...line, amountMinor: line.amountMinor - (this.#discounts[index] ?? 0n) }
    })
  }

  /** Gives what the limits leave of the wanted parts, and says so. */
  give(source: Omit<GivenDiscount, 'parts'>, wanted: readonly bigint[], outcome: DiscountOutcome): void {
    const parts = this.#limited(wanted)
    const minor = sum(parts)
    if (minor > 0n) this.#given.push({ ...source, parts })
    for (const [index, part] of parts.entries()) this.#discounts[index] = (this.#discounts[index] ?? 0n) + part
    const isCut = minor === 0n && sum(wanted) > 0n
    this.#steps.push({ sourceId: source.sourceId, outcome: isCut ? 'limit' : outcome, minor })
  }

  done(): DiscountedBasket {
    return { lines: this.left(), discounts: this.#discounts, given: this.#given, steps: this.#steps }
  }

  #limited(wanted: readonly bigint[]): readonly bigint[] {
    const { receiptBasisPoints, lineLeastBasisPoints } = this.#limits
    const perLine = wanted.map((part, index) => {
      const amount = this.#lines[index]?.amountMinor ?? 0n
      const least = (amount * lineLeastBasisPoints + BASIS - 1n) / BASIS
      const room = amount - least - (this.#discounts[index] ?? 0n)
      return room > 0n ? smaller(part, room) : 0n
    })
    const total = sum(this.#lines.map(({ amountMinor }) => amountMinor))
    const room = (total * receiptBasisPoints) / BASIS - sum(this.#discounts)
    const asked = sum(perLine)
    if (asked <= room) return perLine
    return allocate(room > 0n ? room : 0n, perLine)
  }
}

function applyPhase(basket: Basket, rules: readonly DiscountRule[], facts: DiscountFacts): void {
  const lines = basket.left()
  const offers = rules.map((rule) => offerOf(rule, lines, facts))
  const chosen = rules.map((_, at) => chosenOf(rules, offers, at))
  for (const [at, rule] of rules.entries()) {
    const offer = offers[at]
    const parts = limitedTo(chosen[at] ?? [], rule.limitMinor)
    const isLesser = sum(parts) === 0n && sum(offer?.parts ?? []) > 0n
    const outcome = isLesser ? 'lesser' : (offer?.outcome ?? 'no_goods')
    basket.give({ sourceId: rule.ruleId, funder: rule.funder, code: '' }, parts, outcome)
  }
}

interface Offer {
  readonly parts: readonly bigint[]
  readonly outcome: DiscountOutcome
}

/** What a rule would take off each line if it were alone. */
function offerOf(rule: DiscountRule, lines: readonly SaleLine[], facts: DiscountFacts): Offer {
  const none = lines.map(() => 0n)
  const refusal = discountRefusal(rule, lines, facts)
  if (refusal !== undefined) return { parts: none, outcome: refusal }
  const { goods } = rule
  const own = [...lines.keys()].filter((index) => {
    const line = lines[index]
    return line !== undefined && (goods === undefined || isOf(goods, line))
  })
  const effect = effectAt(rule, facts.atMs, facts.timeZone)
  if (effect.kind === 'percent' && effect.basisPoints === 0n) return { parts: none, outcome: 'not_now' }
  const parts = discountOf(
    effect,
    own.flatMap((index) => lines[index] ?? []),
  )
  const spread = none.map((_, index) => parts[own.indexOf(index)] ?? 0n)
  return { parts: spread, outcome: sum(spread) > 0n ? 'applied' : 'no_goods' }
}

/** What a rule takes off the lines that it wins: best of its group, and not beside an exclusive one that gives more or comes first. */
function chosenOf(rules: readonly DiscountRule[], offers: readonly Offer[], at: number): readonly bigint[] {
  const own = rules[at]
  if (own === undefined) return []
  return (offers[at]?.parts ?? []).map((part, line) => {
    const isBeaten = rules.some((rule, other) => {
      if (other === at) return false
      const isRival = own.isExclusive || rule.isExclusive || (own.group !== '' && rule.group === own.group)
      if (!isRival) return false
      const theirs = offers[other]?.parts[line] ?? 0n
      return theirs > part || (theirs === part && theirs > 0n && other < at)
    })
    return isBeaten ? 0n : part
  })
}

function limitedTo(parts: readonly bigint[], limit: bigint | undefined): readonly bigint[] {
  if (limit === undefined || sum(parts) <= limit) return parts
  return allocate(limit, parts)
}
