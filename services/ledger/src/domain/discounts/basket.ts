import { type CouponCampaign, couponDiscount } from '../coupons/coupon.ts'
import { isOf, type SaleLine } from '../programme.ts'
import { allocate, smaller, sum } from '../shares.ts'
import { type FreePieces, freePieces, type ShownCard } from '../stamps/card.ts'
import { discountOf } from './effects.ts'
import { type OwnPriced, type PriceKind, type PricesAt, priceShares } from './member-prices.ts'
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
  /** Rule, `price/set`, `price/favourite`, or `coupon` and its campaign. */
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
  /** What was sold at a member's own price. */
  readonly ownPriced: readonly OwnPriced[]
  /** Pieces that were free, by stamp card. */
  readonly freePieces: ReadonlyMap<string, FreePieces>
}

/** Discounts of a basket that nothing takes anything off. */
export function undiscounted(lines: readonly SaleLine[]): DiscountedBasket {
  return { lines, discounts: lines.map(() => 0n), given: [], steps: [], ownPriced: [], freePieces: new Map() }
}

const BASIS = 10_000n

/**
 * Discounts of a basket: those of items on the price at the shelf, or a member's own price where it is better, then those of
 * the basket, then free pieces of full stamp cards, then coupons in the order in which they were shown, each on what is
 * left. Inside a phase of a group's rules a line gets the one that gives it most;
 * equal ones go by their order. The same basket, rules and facts give the same result.
 */
export function discountBasket(
  lines: readonly SaleLine[],
  rules: readonly DiscountRule[],
  facts: DiscountFacts,
  more: {
    readonly coupons: readonly ShownCoupon[]
    readonly limits: DiscountLimits
    /** Undefined: the programme has none. */
    readonly prices: PricesAt | undefined
    readonly cards: readonly ShownCard[]
  },
): DiscountedBasket {
  const ownPrices = more.prices?.offers.size ?? 0
  if (rules.length + more.coupons.length + more.cards.length + ownPrices === 0) return undiscounted(lines)
  const basket = new Basket(lines, more.limits)
  const items = offersOf(
    rules.filter(({ phase }) => phase === 'item'),
    basket.left(),
    facts,
  )
  if (more.prices === undefined) giveAll(basket, items)
  else giveBesidePrices(basket, items, more.prices)
  const others = rules.filter(({ phase }) => phase === 'basket')
  giveAll(basket, offersOf(others, basket.left(), facts))
  for (const shown of more.cards) basket.giveFree(shown)
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
  readonly #ownPriced: OwnPriced[] = []
  readonly #free = new Map<string, FreePieces>()

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

  /** Gives what the limits leave of the wanted parts, and says so; answers what it gave. */
  give(source: Omit<GivenDiscount, 'parts'>, wanted: readonly bigint[], outcome: DiscountOutcome): readonly bigint[] {
    const parts = this.#limited(wanted)
    const minor = sum(parts)
    if (minor > 0n) this.#given.push({ ...source, parts })
    for (const [index, part] of parts.entries()) this.#discounts[index] = (this.#discounts[index] ?? 0n) + part
    const isCut = minor === 0n && sum(wanted) > 0n
    this.#steps.push({ sourceId: source.sourceId, outcome: isCut ? 'limit' : outcome, minor })
    return parts
  }

  /** Notes units that were sold at the member's own price. */
  note(lineIndex: number, units: bigint): void {
    this.#ownPriced.push({ lineIndex, sku: this.#lines[lineIndex]?.sku ?? '', units })
  }

  /** Gives the free pieces of a stamp card. */
  giveFree(shown: ShownCard): void {
    const { cardId, funder } = shown.card
    const free = freePieces(shown, this.left())
    if (sum(free.pieces) === 0n) return
    this.#free.set(cardId, free)
    this.give({ sourceId: `stamps/${cardId}`, funder, code: '' }, free.parts, 'applied')
  }

  done(): DiscountedBasket {
    const given = { discounts: this.#discounts, given: this.#given, steps: this.#steps }
    return { lines: this.left(), ...given, ownPriced: this.#ownPriced, freePieces: this.#free }
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

/** What a rule gives of what it would, beside the others of its phase. */
interface Granted extends Offer {
  readonly rule: DiscountRule
}

function offersOf(
  rules: readonly DiscountRule[],
  lines: readonly SaleLine[],
  facts: DiscountFacts,
): readonly Granted[] {
  const offers = rules.map((rule) => offerOf(rule, lines, facts))
  return rules.map((rule, at) => {
    const parts = limitedTo(chosenOf(rules, offers, at), rule.limitMinor)
    const offer = offers[at]
    const isLesser = sum(parts) === 0n && sum(offer?.parts ?? []) > 0n
    return { rule, parts, outcome: isLesser ? 'lesser' : (offer?.outcome ?? 'no_goods') }
  })
}

function giveAll(basket: Basket, granted: readonly Granted[]): void {
  for (const { rule, parts, outcome } of granted) {
    basket.give({ sourceId: rule.ruleId, funder: rule.funder, code: '' }, parts, outcome)
  }
}

/** Gives each unit the best of the member's own price and its promotions, never both. */
function giveBesidePrices(basket: Basket, granted: readonly Granted[], prices: PricesAt): void {
  const lines = basket.left()
  const promotions = lines.map((_, line) => sum(granted.map(({ parts }) => parts[line] ?? 0n)))
  const shares = priceShares(lines, promotions, prices)
  const kept = granted.map((one) => {
    const parts = one.parts.map((part, line) => {
      const quantity = lines[line]?.quantity ?? 1n
      return (part * (quantity - (shares[line]?.units ?? 0n))) / quantity
    })
    const isLesser = sum(parts) === 0n && sum(one.parts) > 0n
    return { ...one, parts, outcome: isLesser ? ('lesser' as const) : one.outcome }
  })
  giveAll(basket, kept)
  for (const kind of ['set', 'favourite'] satisfies PriceKind[]) {
    const own = shares.map((share) => (share?.kind === kind ? share : undefined))
    if (own.every((share) => share === undefined)) continue
    const wanted = own.map((share) => share?.minor ?? 0n)
    const source = { sourceId: `price/${kind}`, funder: prices.funder, code: '' }
    const refused = own.some((share) => share?.isSpent === true) ? 'limit' : 'lesser'
    const parts = basket.give(source, wanted, sum(wanted) > 0n ? 'applied' : refused)
    for (const [line, part] of parts.entries()) if (part > 0n) basket.note(line, own[line]?.units ?? 0n)
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
