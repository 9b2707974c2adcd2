import type { Run } from './run.ts'

/** Fewer clean runs than this do not outvote the others. */
const CLEAN_RUNS_MIN = 3

/** Middle value; the mean of the two middle ones of an even number. 0 of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

/** The clean runs where there are enough of them, else all. */
export function countedRuns(runs: readonly Run[]): readonly Run[] {
  const clean = runs.filter((run) => run.isClean)
  return clean.length >= CLEAN_RUNS_MIN ? clean : runs
}

/** Whether enough runs are clean. */
export function hasEnoughCleanRuns(runs: readonly Run[]): boolean {
  return runs.filter((run) => run.isClean).length >= CLEAN_RUNS_MIN
}
