import type { Samples, Slice } from './samples.ts'
import { quantile } from './samples.ts'

/** The most that was carried before a rising load was too much. */
export interface Knee {
  /** Share of the scale that was asked for, 0 to 1. */
  readonly share: number
  /** Most calls of all kinds per second that were served up to there. */
  readonly callsPerSecond: number
}

/** Served share below which a slice counts as broken. */
const servedShareMin = 0.999
/** Fewer calls than these say nothing of p99. */
const callsMin = 20

/**
 * The knee of a load that rises in a straight line: the last slice before one kind of calls stayed above its limit, or
 * failed, to the end. Undefined when there is nothing before it. `p99LimitsMs` is by kind.
 */
export function kneeOf(
  samples: Samples,
  p99LimitsMs: ReadonlyMap<string, number>,
  plannedSeconds: number,
): Knee | undefined {
  const count = Math.ceil(samples.seconds / samples.sliceSeconds)
  const isBrokenAt = (at: number): boolean =>
    [...p99LimitsMs].some(([kind, limitMs]) => isBroken(samples.slices.get(kind)?.[at], limitMs))
  let carried = count
  while (carried > 0 && isBrokenAt(carried - 1)) carried -= 1
  if (carried === 0) return undefined
  const servedAt = (at: number): number =>
    [...p99LimitsMs.keys()].reduce((sum, kind) => sum + (samples.slices.get(kind)?.[at]?.served ?? 0), 0)
  // The last slice of a run that ended at once is cut off.
  const served = Array.from({ length: carried }, (_, at) => servedAt(at)).reduce((most, one) => Math.max(most, one), 0)
  return {
    share: Math.min(1, (carried * samples.sliceSeconds) / plannedSeconds),
    callsPerSecond: served / samples.sliceSeconds,
  }
}

function isBroken(slice: Slice | undefined, limitMs: number): boolean {
  if (slice === undefined) return false
  const total = slice.served + slice.failed
  if (slice.failed > 0 && slice.served / total < servedShareMin) return true
  return slice.durationsMs.length >= callsMin && (quantile(slice.durationsMs, 0.99) ?? 0) > limitMs
}
