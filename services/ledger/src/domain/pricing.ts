/** How points are earned and spent, as stored with its version. */
export interface Programme {
  readonly version: number
  /** Receipts that occurred from this instant on use it; Unix milliseconds, -Infinity for all. */
  readonly effectiveAtMs: number
  /** Basis points of the money paid, 0 to 10,000. */
  readonly earnBasisPoints: bigint
  /** Days that points live, in the brand's time zone. */
  readonly pointsLiveDays: number
  /** Basis points of each line that points may pay, 0 to 10,000. */
  readonly maxPayBasisPoints: bigint
  /** Value of one point in minor units of money, at least 1. */
  readonly pointValueMinor: bigint
  /** Default life of a hold in seconds. */
  readonly holdSeconds: number
}

/** A line as the till sent it. */
export interface SaleLine {
  readonly sku: string
  readonly quantity: bigint
  /** Value of the whole line in minor units. */
  readonly amountMinor: bigint
  readonly category: string
}

/** A line with its share of the points. */
export interface PricedLine extends SaleLine {
  /** Points that paid for it. */
  readonly paid: bigint
  /** Points that it earned. */
  readonly earned: bigint
}

const BASIS = 10_000n

/** The version that a receipt of this instant uses: the highest that is effective by then. */
export function programmeAt(versions: readonly Programme[], atMs: number): Programme | undefined {
  let found: Programme | undefined
  for (const programme of versions) {
    if (programme.effectiveAtMs <= atMs && (found === undefined || programme.version > found.version)) found = programme
  }
  return found
}

/** Points that money earns: rounded down once, over the whole receipt. */
export function pointsForMoney(moneyMinor: bigint, programme: Programme): bigint {
  return (moneyMinor * programme.earnBasisPoints) / (BASIS * programme.pointValueMinor)
}

/** Points that may pay for one line: rounded down per line, so that no line's price goes below zero. */
export function maxPointsForLine(line: SaleLine, programme: Programme): bigint {
  return (line.amountMinor * programme.maxPayBasisPoints) / (BASIS * programme.pointValueMinor)
}

/** Points that may pay for a basket, whatever the member has. */
export function maxPointsForLines(lines: readonly SaleLine[], programme: Programme): bigint {
  return lines.reduce((sum, line) => sum + maxPointsForLine(line, programme), 0n)
}

/** Value of a basket in minor units. */
export function totalOf(lines: readonly SaleLine[]): bigint {
  return lines.reduce((sum, line) => sum + line.amountMinor, 0n)
}

/**
 * Splits a whole over weights by largest remainder; equal remainders go to the lower index. The parts sum to the
 * whole, and none is more than its exact share rounded up. All weights zero: all parts zero (the whole must be zero).
 */
export function allocate(whole: bigint, weights: readonly bigint[]): readonly bigint[] {
  const sum = weights.reduce((total, weight) => total + weight, 0n)
  if (whole === 0n || sum === 0n) return weights.map(() => 0n)
  const parts = weights.map((weight) => (whole * weight) / sum)
  let open = whole - parts.reduce((total, part) => total + part, 0n)
  if (open === 0n) return parts
  const byRemainder = weights
    .map((weight, index) => ({ index, remainder: (whole * weight) % sum }))
    .sort((left, right) => compareDescending(left.remainder, right.remainder) || left.index - right.index)
  for (const { index } of byRemainder) {
    if (open === 0n) break
    parts[index] = (parts[index] ?? 0n) + 1n
    open -= 1n
  }
  return parts
}

/** Gives each line its share of the points that pay and of the points that the money paid earns. */
export function priceLines(
  lines: readonly SaleLine[],
  programme: Programme,
  pointsToPay: bigint,
): readonly PricedLine[] {
  const paid = allocate(
    pointsToPay,
    lines.map((line) => maxPointsForLine(line, programme)),
  )
  const money = lines.map((line, index) => line.amountMinor - (paid[index] ?? 0n) * programme.pointValueMinor)
  const earned = allocate(
    pointsForMoney(
      money.reduce((sum, value) => sum + value, 0n),
      programme,
    ),
    money,
  )
  return lines.map((line, index) => ({ ...line, paid: paid[index] ?? 0n, earned: earned[index] ?? 0n }))
}

function compareDescending(left: bigint, right: bigint): number {
  if (left === right) return 0
  return left > right ? -1 : 1
}
