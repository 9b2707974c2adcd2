import { addDays, endOfDay, localDay } from '../calendar.ts'
import { type Goods, isOf, type SaleLine } from '../programme.ts'
import { smaller, sum } from '../shares.ts'

/** Prices of a member's own: products that were granted together, or the favourite that the member has chosen. */
export type PriceKind = 'set' | 'favourite'

/** What a programme says about prices of members' own. */
export interface PriceSetRules {
  /** Days of a granted set, its first one included; 0: none are granted. */
  readonly setLiveDays: number
  /** Products of a granted set at most. */
  readonly setProductsMax: number
  /** Off the price of a favourite, basis points; 0: none are chosen. */
  readonly favouriteBasisPoints: number
  /** Days of a favourite, its first one included. */
  readonly favouriteLiveDays: number
  /** Goods that never have such a price. */
  readonly excluded: Goods
  /** Units of a SKU that a member gets for it on one day; undefined: no limit. */
  readonly unitsPerDay: bigint | undefined
  /** Who bears what it costs. */
  readonly funder: string
}

/** Prices of a member for a time. */
export interface MemberPrice {
  readonly priceId: string
  readonly kind: PriceKind
  /** Half open, Unix milliseconds. */
  readonly fromMs: number
  readonly untilMs: number
  readonly items: readonly PriceItem[]
}

/** What is taken off the price of a product. */
export interface PriceItem {
  readonly sku: string
  readonly basisPoints: number
}

/** First instant after so many calendar days of the zone, the day of `fromMs` included; so terms tile. */
export function priceEnd(fromMs: number, days: number, timeZone: string): number {
  return endOfDay(addDays(localDay(fromMs, timeZone), days - 1), timeZone)
}

/** Why a SKU cannot become the favourite now; undefined: it can. */
export function favouriteRefusal(
  newest: MemberPrice | undefined,
  sku: string,
  { nowMs, timeZone }: { readonly nowMs: number; readonly timeZone: string },
): 'changed_today' | 'same' | undefined {
  if (newest === undefined) return undefined
  if (newest.untilMs > nowMs && newest.items.some((item) => item.sku === sku)) return 'same'
  return localDay(newest.fromMs, timeZone) === localDay(nowMs, timeZone) ? 'changed_today' : undefined
}

/** Prices of a member's own at a receipt. */
export interface PricesAt {
  /** The best one of each SKU. */
  readonly offers: ReadonlyMap<string, PriceOffer>
  readonly excluded: Goods
  readonly funder: string
}

/** A price of a member's own. */
export interface PriceOffer {
  readonly kind: PriceKind
  readonly basisPoints: bigint
  /** Units that are left of the day's; undefined: no limit. */
  readonly unitsLeft: bigint | undefined
}

/** Prices that hold at an instant; of a set and a favourite of the same SKU the better one, never both. */
export function pricesAt(
  prices: readonly MemberPrice[],
  { excluded, funder, unitsPerDay }: PriceSetRules,
  atMs: number,
  usedOf: (sku: string) => bigint,
): PricesAt {
  const offers = new Map<string, PriceOffer>()
  for (const { kind, fromMs, untilMs, items } of prices) {
    if (atMs < fromMs || atMs >= untilMs) continue
    for (const { sku, basisPoints } of items) {
      const known = offers.get(sku)
      if (known !== undefined && known.basisPoints >= BigInt(basisPoints)) continue
      const unitsLeft = unitsPerDay === undefined ? undefined : unitsPerDay - smaller(usedOf(sku), unitsPerDay)
      offers.set(sku, { kind, basisPoints: BigInt(basisPoints), unitsLeft })
    }
  }
  return { offers, excluded, funder }
}

/** Units of a line that were sold at a member's own price. */
export interface OwnPriced {
  readonly lineIndex: number
  readonly sku: string
  readonly units: bigint
}

/** The same with the whole line and what came back of it. */
export interface UsedLine extends OwnPriced {
  readonly quantity: bigint
  readonly returned: bigint
}

/** Units of a SKU that lines of a day have taken, net of what came back of them: the share of the line, rounded down. */
export function unitsUsed(lines: readonly UsedLine[], sku: string): bigint {
  const own = lines.filter((line) => line.sku === sku)
  return sum(own.map(({ units, returned, quantity }) => units - (units * returned) / quantity))
}

/** What a member's own price takes off a line. */
export interface PriceShare {
  readonly kind: PriceKind
  /** Units that get it: all of the line, or those that the day has left. */
  readonly units: bigint
  readonly minor: bigint
  /** Whether the day has none left. */
  readonly isSpent: boolean
}

const BASIS = 10_000n

/**
 * What members' own prices take off each line where they are better than what its promotions take off a unit; the other
 * units of the line keep their promotion. Undefined for lines without such a price.
 */
export function priceShares(
  lines: readonly SaleLine[],
  promotions: readonly bigint[],
  { offers, excluded }: PricesAt,
): readonly (PriceShare | undefined)[] {
  const given = new Map<string, bigint>()
  return lines.map((line, index) => {
    const { sku, quantity, amountMinor } = line
    const offer = offers.get(sku)
    if (offer === undefined || isOf(excluded, line)) return undefined
    const { kind, basisPoints, unitsLeft } = offer
    const before = given.get(sku) ?? 0n
    const units = unitsLeft === undefined ? quantity : smaller(quantity, unitsLeft - before)
    const isBetter = amountMinor * basisPoints > (promotions[index] ?? 0n) * BASIS
    if (units === 0n || !isBetter) return { kind, units: 0n, minor: 0n, isSpent: units === 0n }
    given.set(sku, before + units)
    return { kind, units, isSpent: false, minor: (amountMinor * units * basisPoints) / (quantity * BASIS) }
  })
}
