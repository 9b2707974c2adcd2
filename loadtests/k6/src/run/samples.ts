import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'

/** Calls of one kind in one slice of time. */
export interface Slice {
  readonly served: number
  readonly failed: number
  /** Sorted milliseconds of those that were served. */
  readonly durationsMs: readonly number[]
}

/** One value of a gauge. */
export interface Point {
  /** Seconds since the start. */
  readonly second: number
  readonly value: number
}

/** What k6 measured, over time. */
export interface Samples {
  /** Unix seconds of the first sample. */
  readonly startedAt: number
  readonly seconds: number
  /** Seconds of a slice. */
  readonly sliceSeconds: number
  /** By kind; one entry per slice from the start on. */
  readonly slices: ReadonlyMap<string, readonly Slice[]>
  /** By metric: what the campaign said. */
  readonly gauges: ReadonlyMap<string, readonly Point[]>
}

interface Row {
  readonly metric: string
  readonly second: number
  readonly value: number
  readonly kind: string
}

const slicesWanted = 100
const gaugePrefix = 'campaign_'

/** Reads k6's samples: CSV with the columns metric, Unix second, value and tags. */
export async function readSamples(file: string): Promise<Samples> {
  const calls: Row[] = []
  const gauges = new Map<string, { second: number; value: number }[]>()
  let [first, last] = [Number.POSITIVE_INFINITY, 0]
  for await (const line of createInterface({ input: createReadStream(file).pipe(createGunzip()) })) {
    const row = parseRow(line)
    if (row === undefined) continue
    if (row.metric === 'call_duration' || row.metric === 'call_failed') {
      first = Math.min(first, row.second)
      last = Math.max(last, row.second)
      calls.push(row)
    } else if (row.metric.startsWith(gaugePrefix)) {
      const points = gauges.get(row.metric) ?? []
      points.push({ second: row.second, value: row.value })
      gauges.set(row.metric, points)
    }
  }
  const startedAt = Number.isFinite(first) ? first : 0
  const seconds = Math.max(1, last - startedAt + 1)
  const sliceSeconds = Math.max(1, Math.ceil(seconds / slicesWanted))
  return {
    startedAt,
    seconds,
    sliceSeconds,
    slices: slice(calls, startedAt, sliceSeconds, Math.ceil(seconds / sliceSeconds)),
    gauges: new Map(
      [...gauges].map(([metric, points]) => [
        metric,
        points.map(({ second, value }) => ({ second: second - startedAt, value })),
      ]),
    ),
  }
}

function parseRow(line: string): Row | undefined {
  const [metric = '', second, value, tags = ''] = line.split(',')
  const row = { metric, second: Number(second), value: Number(value), kind: kindOf(tags) }
  return metric === '' || Number.isNaN(row.second) || second === undefined ? undefined : row
}

function kindOf(tags: string): string {
  return /(?:^|&)kind=([^&]*)/.exec(tags)?.[1] ?? ''
}

function slice(
  rows: readonly Row[],
  startedAt: number,
  sliceSeconds: number,
  count: number,
): ReadonlyMap<string, readonly Slice[]> {
  const byKind = new Map<string, { served: number; failed: number; durationsMs: number[] }[]>()
  for (const { metric, kind, second, value } of rows) {
    const slices = byKind.get(kind) ?? Array.from({ length: count }, () => ({ served: 0, failed: 0, durationsMs: [] }))
    byKind.set(kind, slices)
    const at = slices[Math.floor((second - startedAt) / sliceSeconds)]
    if (at === undefined) continue
    if (metric === 'call_duration') at.durationsMs.push(value)
    else if (value === 0) at.served += 1
    else at.failed += 1
  }
  for (const slices of byKind.values()) for (const { durationsMs } of slices) durationsMs.sort((a, b) => a - b)
  return byKind
}

/** The value below which a share of the sorted values lies; undefined without any. */
export function quantile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}
