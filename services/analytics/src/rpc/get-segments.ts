import { segmentNames } from '@stampede/lifetimes'
import type { GetSegmentsRequest, GetSegmentsResponse, RfmCell, Segment } from '@stampede/proto/analytics/v1'
import { type AnalyticsContext, brandOf, requireSnapshot } from '../context.ts'
import { type CellCount, cellCounts } from '../store/segments.ts'

const scores = [1, 2, 3, 4, 5] as const

/** Handler of GetSegments: every segment and every cell, empty ones too. */
export function getSegments(context: AnalyticsContext) {
  return async ({ brand }: GetSegmentsRequest): Promise<GetSegmentsResponse> => {
    brandOf(context, brand)
    const snapshot = await requireSnapshot(context, brand)
    const cells = await cellCounts(context.reads, brand, snapshot.snapshotId)
    return {
      asOf: snapshot.asOf,
      segments: segmentsOf(cells),
      cells: scores.flatMap((r) => scores.map((f) => cellAt(cells, r, f))),
      recencyThresholds: [...(snapshot.thresholds?.recency ?? [])],
      frequencyThresholds: [...(snapshot.thresholds?.frequency ?? [])],
      monetaryThresholds: [...(snapshot.thresholds?.monetary ?? [])],
    }
  }
}

function segmentsOf(cells: readonly CellCount[]): Segment[] {
  const segments = segmentNames.map((segment) => {
    const own = cells.filter((cell) => cell.segment === segment)
    return {
      segment,
      members: sum(own, (cell) => cell.members),
      revenueMinor: sum(own, (cell) => cell.revenueMinor),
      churning: sum(own, (cell) => cell.churning),
    }
  })
  return segments.sort((a, b) => Number(b.members - a.members))
}

function cellAt(cells: readonly CellCount[], r: number, f: number): RfmCell {
  const cell = cells.find((one) => one.r === r && one.f === f)
  return { r, f, members: BigInt(cell?.members ?? 0), revenueMinor: BigInt(cell?.revenueMinor ?? 0) }
}

function sum(cells: readonly CellCount[], value: (cell: CellCount) => string): bigint {
  return cells.reduce((total, cell) => total + BigInt(value(cell)), 0n)
}
