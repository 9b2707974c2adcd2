import { allocate, compareDescending, smaller, sum } from '../shares.ts'

/** What a discount does to the goods that it is about. */
export type DiscountEffect =
  /** So much of their price, basis points, rounded down once over all. */
  | { readonly kind: 'percent'; readonly basisPoints: bigint }
  /** So much money, at most their price. */
  | { readonly kind: 'amount'; readonly minor: bigint }
  /** The cheapest so many pieces for nothing. */
  | { readonly kind: 'free'; readonly pieces: bigint }
  /**
   * Pieces by price, dearest first, cut into sets of `take`: of each set the cheapest `take - pay` are reduced by so many basis
   * points (10,000: free). What is left over pays in full. At most `setsMax` sets, the dearest first.
   */
  | {
      readonly kind: 'sets'
      readonly take: number
      readonly pay: number
      readonly basisPoints: bigint
      readonly setsMax: number
    }
  /** Each piece for so much, where that is less. */
  | { readonly kind: 'price'; readonly minor: bigint }

/** A line as discounts see it: what it costs before this discount. */
export interface DiscountLine {
  readonly quantity: bigint
  readonly amountMinor: bigint
}

/** Pieces that are looked at one by one at most; what a basket has beyond them pays in full. */
export const PIECES_MAX = 10_000

const BASIS = 10_000n

/** One piece of a line. */
export interface Piece {
  readonly line: number
  readonly minor: bigint
}

/**
 * The discount of each line. It is spread over the pieces that it was given for by their price, by largest remainder,
 * so that a returned piece gives back what it was charged.
 */
export function discountOf(effect: DiscountEffect, lines: readonly DiscountLine[]): readonly bigint[] {
  const amounts = lines.map(({ amountMinor }) => amountMinor)
  switch (effect.kind) {
    case 'percent':
      return allocate((sum(amounts) * effect.basisPoints) / BASIS, amounts)
    case 'amount':
      return allocate(smaller(effect.minor, sum(amounts)), amounts)
    case 'price':
      return lines.map(({ quantity, amountMinor }) => {
        const reduced = quantity * effect.minor
        return reduced < amountMinor ? amountMinor - reduced : 0n
      })
    case 'free': {
      const pieces = piecesOf(lines).toReversed()
      return byLine(lines, pieces.slice(0, Number(smaller(effect.pieces, BigInt(PIECES_MAX)))))
    }
    case 'sets':
      return setsOf(effect, lines)
  }
}

function setsOf(
  { take, pay, basisPoints, setsMax }: Extract<DiscountEffect, { kind: 'sets' }>,
  lines: readonly DiscountLine[],
): readonly bigint[] {
  const pieces = piecesOf(lines)
  const count = Math.min(Math.floor(pieces.length / take), setsMax)
  const inSets = pieces.slice(0, count * take)
  const reduced = inSets.filter((_, index) => index % take >= pay)
  const whole = (sum(reduced.map(({ minor }) => minor)) * basisPoints) / BASIS
  return allocate(whole, byLine(lines, inSets))
}

/** Pieces, dearest first; of equal ones that of the first line. A line's price is spread over its pieces. */
export function piecesOf(lines: readonly DiscountLine[]): readonly Piece[] {
  const pieces: Piece[] = []
  for (const [line, { quantity, amountMinor }] of lines.entries()) {
    const room = BigInt(PIECES_MAX - pieces.length)
    const each = amountMinor / quantity
    const dearer = amountMinor % quantity
    for (let index = 0n; index < quantity && index < room; index += 1n) {
      pieces.push({ line, minor: index < dearer ? each + 1n : each })
    }
  }
  return pieces.sort((left, right) => compareDescending(left.minor, right.minor) || left.line - right.line)
}

function byLine(lines: readonly DiscountLine[], pieces: readonly Piece[]): readonly bigint[] {
  const sums = lines.map(() => 0n)
  for (const { line, minor } of pieces) sums[line] = (sums[line] ?? 0n) + minor
  return sums
}
