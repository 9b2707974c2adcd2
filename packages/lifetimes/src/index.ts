export { isChurning, type Silence } from './churn.ts'
export { quantile, sortedValues } from './quantile.ts'
export {
  type Purchases,
  quantileThresholds,
  type RfmScore,
  type RfmThresholds,
  rfmScore,
  rfmThresholds,
  type Score,
  scoreFalling,
  scoreRising,
  type Thresholds,
  thresholdLevels,
} from './rfm.ts'
export { isSegmentName, type SegmentName, segmentGrid, segmentNames, segmentOf } from './segments.ts'
