import type { DiscountedBasket } from './discounts/basket.ts'
import { type EarnPlace, type Explanation, earn } from './earn.ts'
import { isOf, type Programme, type SaleLine } from './programme.ts'
import { allocate, sum } from './shares.ts'

/** A line with its share of the points. */
export interface PricedLine extends SaleLine {
  /** Points that paid for it. */
  readonly paid: bigint
  /** Points that it earned. */
  readonly earned: bigint
  /** Taken off its price at the shelf; its amount is what is left. */
  readonly discountMinor: bigint
}

/** A basket with all its shares decided. */
export interface PricedBasket {
  readonly lines: readonly PricedLine[]
  /** How its points came about. */
  readonly explanations: readonly Explanation[]
}

const BASIS = 10_000n

/** Points that may pay for one line: rounded down per line, so that no line's price goes below zero. */
export function maxPointsForLine(line: SaleLine, programme: Programme): bigint {
  if (isOf(programme.neverPaid, line)) return 0n
  return (line.amountMinor * programme.maxPayBasisPoints) / (BASIS * programme.pointValueMinor)
}

/** Most points that may pay for a basket, of so many; whole steps, and none below the least. */
export function maxPointsForLines(lines: readonly SaleLine[], programme: Programme, available?: bigint): bigint {
  if (totalOf(lines) < programme.payLeastReceiptMinor) return 0n
  const limit = sum(lines.map((line) => maxPointsForLine(line, programme)))
  const points = available === undefined || limit < available ? limit : available
  const stepped = points - (points % programme.payStep)
  return stepped < programme.payLeastPoints ? 0n : stepped
}

/** Whether so many points pay for a basket, apart from how many there may be at most. */
export function isPayable(points: bigint, programme: Programme): boolean {
  return points === 0n || (points % programme.payStep === 0n && points >= programme.payLeastPoints)
}

/** Value of a basket in minor units. */
export function totalOf(lines: readonly SaleLine[]): bigint {
  return sum(lines.map((line) => line.amountMinor))
}

/** Gives each line, after its discounts, its share of the points that pay and of the points that the money paid earns. */
export function priceLines(
  { lines, discounts }: Pick<DiscountedBasket, 'lines' | 'discounts'>,
  programme: Programme,
  pointsToPay: bigint,
  place: EarnPlace,
): PricedBasket {
  const paid = allocate(
    pointsToPay,
    lines.map((line) => maxPointsForLine(line, programme)),
  )
  const earning = lines.map((line, index) => {
    return { ...line, moneyMinor: line.amountMinor - (paid[index] ?? 0n) * programme.pointValueMinor }
  })
  const { points, explanations } = earn(earning, programme, place)
  const priced = lines.map((line, index) => {
    return { ...line, paid: paid[index] ?? 0n, earned: points[index] ?? 0n, discountMinor: discounts[index] ?? 0n }
  })
  return { lines: priced, explanations }
}
