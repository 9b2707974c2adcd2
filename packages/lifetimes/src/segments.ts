import type { Score } from './rfm.ts'

/** Names of all segments: those of the R x F grid, best first, then `prospects`, the members without a purchase. */
export const segmentNames = [
  'champions',
  'loyal',
  'potential_loyalist',
  'new',
  'promising',
  'need_attention',
  'about_to_sleep',
  'at_risk',
  'cannot_lose',
  'hibernating',
  'prospects',
] as const

/** Name of a segment. */
export type SegmentName = (typeof segmentNames)[number]

/** Five segments, for F = 1 to 5. */
type GridRow = readonly [SegmentName, SegmentName, SegmentName, SegmentName, SegmentName]

/**
 * Segment of each pair of scores: `segmentGrid[r - 1][f - 1]`. Every pair has exactly one segment, so segments
 * add up to all buyers, which lists of overlapping ranges do not.
 */
export const segmentGrid: readonly [GridRow, GridRow, GridRow, GridRow, GridRow] = [
  ['hibernating', 'hibernating', 'at_risk', 'at_risk', 'cannot_lose'],
  ['hibernating', 'hibernating', 'at_risk', 'at_risk', 'cannot_lose'],
  ['about_to_sleep', 'about_to_sleep', 'need_attention', 'loyal', 'loyal'],
  ['promising', 'potential_loyalist', 'potential_loyalist', 'loyal', 'loyal'],
  ['new', 'potential_loyalist', 'potential_loyalist', 'champions', 'champions'],
]

/** Segment of a buyer with the scores R and F. */
export function segmentOf(r: Score, f: Score): SegmentName {
  const row = segmentGrid[(r - 1) as 0 | 1 | 2 | 3 | 4]
  return row[(f - 1) as 0 | 1 | 2 | 3 | 4]
}

/** Whether the text is the name of a segment. */
export function isSegmentName(text: string): text is SegmentName {
  return (segmentNames as readonly string[]).includes(text)
}
