const HOUR_MS = 3_600_000
/** A refusal is asked again after an hour, then after two, at most this. */
const REFUSED_MAX_MS = 32 * HOUR_MS
/** A failure that may pass by itself is tried again at the latest after this. */
const TEMPORARY_MAX_MS = 600_000
/** Doubling more often would leave the range of exact numbers. */
const DOUBLINGS_MAX = 20

/** How a request to Apple failed. */
export interface Failure {
  /** Whether the same request may succeed without anybody changing anything. */
  readonly temporary: boolean
  /** What the other side told to wait, ms. */
  readonly retryAfterMs?: number
}

/** How long to wait after the `attempts`th failure in a row, ms. `firstMs`: after the first temporary one. */
export function retryDelayMs(failure: Failure, attempts: number, firstMs: number): number {
  const factor = 2 ** Math.min(Math.max(attempts - 1, 0), DOUBLINGS_MAX)
  const grownMs = failure.temporary
    ? Math.min(firstMs * factor, TEMPORARY_MAX_MS)
    : Math.min(HOUR_MS * factor, REFUSED_MAX_MS)
  return Math.max(grownMs, failure.retryAfterMs ?? 0)
}

/** What is remembered of the last failure. */
export interface RetryState {
  readonly attempts: number
  readonly nextAttemptMs: number
  /** The generation of the spec that failed. */
  readonly generation: number
}

/** How long the next try has to wait, ms; 0 when it is due, as it is after a change of the spec. */
export function waitBeforeRetryMs(state: RetryState | undefined, generation: number, nowMs: number): number {
  if (state === undefined || state.generation !== generation) return 0
  return Math.max(0, state.nextAttemptMs - nowMs)
}
