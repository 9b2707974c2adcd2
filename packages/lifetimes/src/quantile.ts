/** Relative error of a position that is taken for rounding; R uses the same. */
const positionFuzz = 4 * Number.EPSILON

/**
 * Quantile with linear interpolation between the two nearest values (R type 7, NumPy's default, ClickHouse's
 * `quantileExactInclusive`).
 *
 * @param sorted values in ascending order, at least one
 * @param level from 0 to 1
 * @throws RangeError when there is no value or the level is out of range
 */
export function quantile(sorted: Float64Array, level: number): number {
  if (!(level >= 0 && level <= 1)) throw new RangeError(`quantile level must be from 0 to 1, got ${level}`)
  const exact = (sorted.length - 1) * level
  // A position that is a whole number must not miss its value by rounding: that value would then lie above its own quantile.
  const position = Math.abs(exact - Math.round(exact)) < positionFuzz * sorted.length ? Math.round(exact) : exact
  const below = Math.floor(position)
  const low = sorted[below]
  if (low === undefined) throw new RangeError('quantile of no values')
  const high = sorted[below + 1] ?? low
  return low + (position - below) * (high - low)
}

/** Ascending copy of the values; throws RangeError naming the position of a value that is not finite. */
export function sortedValues(values: Iterable<number>): Float64Array {
  const sorted = Float64Array.from(values)
  const bad = sorted.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) throw new RangeError(`value ${bad} is not a finite number`)
  return sorted.sort()
}
