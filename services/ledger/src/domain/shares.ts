/**
 * Splits a whole over weights by largest remainder; equal remainders go to the lower index. The parts sum to the
 * whole, and none is more than its exact share rounded up. All weights zero: all parts zero (the whole must be zero).
 */
export function allocate(whole: bigint, weights: readonly bigint[]): readonly bigint[] {
  const total = sum(weights)
  if (whole === 0n || total === 0n) return weights.map(() => 0n)
  const parts = weights.map((weight) => (whole * weight) / total)
  let open = whole - sum(parts)
  if (open === 0n) return parts
  const byRemainder = weights
    .map((weight, index) => ({ index, remainder: (whole * weight) % total }))
    .sort((left, right) => compareDescending(left.remainder, right.remainder) || left.index - right.index)
  for (const { index } of byRemainder) {
    if (open === 0n) break
    parts[index] = (parts[index] ?? 0n) + 1n
    open -= 1n
  }
  return parts
}

/** The sum; zero of none. */
export function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n)
}

/** For sorting, larger first. */
export function compareDescending(left: bigint, right: bigint): number {
  if (left === right) return 0
  return left > right ? -1 : 1
}

/** The larger of two amounts. */
export function larger(left: bigint, right: bigint): bigint {
  if (left > right) return left
  return right
}

/** The smaller of two amounts. */
export function smaller(left: bigint, right: bigint): bigint {
  if (left < right) return left
  return right
}
