import type { Samples, Slice } from './samples.ts'
import { quantile } from './samples.ts'

/** The most that was carried before a rising load broke a threshold. */
export interface Knee {
  /** Share of the scale that was asked for, 0 to 1. */
  readonly share: number
  /** Calls per second that were served there, of all kinds. */
  readonly callsPerSecond: number
  readonly p99Ms: number
}

/** Served share below which a slice counts as broken. */
const servedShareMin = 0.999

/**
 * The knee of a load that rises in a straight line: the last slice before latency left its plain. That is where p99 of
 * tills stays above `limitMs` to the end, or calls begin to fail; undefined when there is nothing before it.
 */
export function kneeOf(
  samples: Samples,
  kinds: readonly string[],
  limitMs: number,
  plannedSeconds: number,
): Knee | undefined {
  const slices = kinds.flatMap((kind) => samples.slices.get(kind) ?? [])
  const count = Math.ceil(samples.seconds / samples.sliceSeconds)
  const all = Array.from({ length: count }, (_, at) => merge(kinds.map((kind) => samples.slices.get(kind)?.[at])))
  if (slices.length === 0) return undefined
  let last = all.length
  while (last > 0 && isBroken(all[last - 1], limitMs)) last -= 1
  const knee = all[last - 1]
  if (knee === undefined) return undefined
  return {
    share: Math.min(1, (last * samples.sliceSeconds) / plannedSeconds),
    callsPerSecond: knee.served / samples.sliceSeconds,
    p99Ms: quantile(knee.durationsMs, 0.99) ?? 0,
  }
}

function isBroken(slice: Slice | undefined, limitMs: number): boolean {
  if (slice === undefined) return false
  const total = slice.served + slice.failed
  if (total === 0) return true
  return slice.served / total < servedShareMin || (quantile(slice.durationsMs, 0.99) ?? 0) > limitMs
}

function merge(slices: readonly (Slice | undefined)[]): Slice {
  const there = slices.filter((slice) => slice !== undefined)
  return {
    served: there.reduce((sum, { served }) => sum + served, 0),
    failed: there.reduce((sum, { failed }) => sum + failed, 0),
    durationsMs: there.flatMap(({ durationsMs }) => durationsMs).toSorted((a, b) => a - b),
  }
}
