import { isSegmentName, segmentNames } from '@stampede/lifetimes'
import { checkList, invalidArgument } from '@stampede/platform'
import type { GetAudienceRequest, GetAudienceResponse } from '@stampede/proto/analytics/v1'
import { type AnalyticsContext, brandOf, requireSnapshot } from '../context.ts'
import { audienceRows } from '../store/audience.ts'

const everybody = 'all'
const buyers = 'buyers'
/** Every name there is, each once. */
const namesMax = segmentNames.length + 2

/** Handler of GetAudience: the union of the segments, as rows of 8,192 pass numbers, lowest first. */
export function getAudience(context: AnalyticsContext) {
  return async function* (request: GetAudienceRequest): AsyncGenerator<GetAudienceResponse> {
    const { brand, timeZone } = brandOf(context, request.brand)
    checkList(request.segments, 'segments', { min: 1, max: namesMax })
    request.segments.forEach(checkName)
    const all = request.segments.includes(everybody)
    const segments = request.segments.filter(isSegmentName)
    const needsSnapshot = !all && segments.length > 0
    const rows = await audienceRows(context.reads, {
      brand,
      timeZone,
      all,
      buyers: request.segments.includes(buyers),
      segments,
      snapshotId: needsSnapshot ? (await requireSnapshot(context, brand)).snapshotId : undefined,
    })
    for (const row of rows) yield { base: BigInt(row.base), bitmap: Buffer.from(row.bitmap, 'hex'), count: row.count }
  }
}

function checkName(name: string, index: number): void {
  if (name === everybody || name === buyers || isSegmentName(name)) return
  throw invalidArgument(`segments[${index}]`, `must be one of ${[everybody, buyers, ...segmentNames].join(', ')}`)
}
