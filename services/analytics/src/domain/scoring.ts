import { segmentGrid, type Thresholds } from '@stampede/lifetimes'

/** Cut points of a snapshot; undefined when the brand has no buyer. */
export interface SnapshotThresholds {
  /** Days. */
  readonly recency: Thresholds
  /** Purchase days. */
  readonly frequency: Thresholds
  /** Minor units. */
  readonly monetary: Thresholds
}

/** Segment of R and F as one list: `(r - 1) * 5 + f - 1`. */
export const flatGrid: readonly string[] = segmentGrid.flat()

/** Cut points of nobody: never compared with anything. */
export const noThresholds: SnapshotThresholds = {
  recency: [0, 0, 0, 0],
  frequency: [0, 0, 0, 0],
  monetary: [0, 0, 0, 0],
}

/** Four numbers as thresholds; undefined unless they are four finite ones. */
export function asThresholds(values: readonly number[]): Thresholds | undefined {
  const [a, b, c, d] = values
  if (a === undefined || b === undefined || c === undefined || d === undefined) return undefined
  return values.length === 4 && values.every(Number.isFinite) ? [a, b, c, d] : undefined
}
