import { quantile, sortedValues } from './quantile.ts'

/** A quintile score; 5 is best. */
export type Score = 1 | 2 | 3 | 4 | 5

/** Four cut points between five scores, ascending; equal neighbours leave a score without members. */
export type Thresholds = readonly [number, number, number, number]

/** Levels at which a brand's own members are cut into five. */
export const thresholdLevels = [0.2, 0.4, 0.6, 0.8] as const

/** What RFM knows of one buyer. */
export interface Purchases {
  /** Whole days from the last purchase to the as-of day; 0 or more. */
  readonly recencyDays: number
  /** Purchase days; 1 or more. */
  readonly frequency: number
  /** Net value, in any unit that all members share. */
  readonly monetary: number
}

/** Cut points of the three measures, in the units of `Purchases`. */
export interface RfmThresholds {
  readonly recency: Thresholds
  readonly frequency: Thresholds
  readonly monetary: Thresholds
}

/** The three scores of one buyer. */
export interface RfmScore {
  readonly r: Score
  readonly f: Score
  readonly m: Score
}

/** Cut points of a set of values; at least one value. */
export function quantileThresholds(values: Iterable<number>): Thresholds {
  const sorted = sortedValues(values)
  const at = (level: number) => quantile(sorted, level)
  const [a, b, c, d] = thresholdLevels
  return [at(a), at(b), at(c), at(d)]
}

/** Cut points of a brand's buyers; at least one buyer. */
export function rfmThresholds(buyers: readonly Purchases[]): RfmThresholds {
  return {
    recency: quantileThresholds(buyers.map((buyer) => buyer.recencyDays)),
    frequency: quantileThresholds(buyers.map((buyer) => buyer.frequency)),
    monetary: quantileThresholds(buyers.map((buyer) => buyer.monetary)),
  }
}

/** Score of a measure of which more is better: one plus the number of thresholds below the value. */
export function scoreRising(value: number, thresholds: Thresholds): Score {
  let score = 1
  for (const threshold of thresholds) if (value > threshold) score += 1
  return score as Score
}

/** Score of a measure of which less is better, such as days since the last purchase. */
export function scoreFalling(value: number, thresholds: Thresholds): Score {
  return (6 - scoreRising(value, thresholds)) as Score
}

/** Scores of one buyer. Equal inputs get equal scores, a better input never a lower one. */
export function rfmScore(buyer: Purchases, thresholds: RfmThresholds): RfmScore {
  return {
    r: scoreFalling(buyer.recencyDays, thresholds.recency),
    f: scoreRising(buyer.frequency, thresholds.frequency),
    m: scoreRising(buyer.monetary, thresholds.monetary),
  }
}
