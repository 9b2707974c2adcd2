/** Bounds of an exponential back-off. */
export interface BackoffLimits {
  /** Delay before the first repetition, in milliseconds. */
  readonly baseMs: number
  /** Longest delay, in milliseconds. */
  readonly maxMs: number
}

/**
 * Delay before repetition `attempt` (from 1), in milliseconds: doubled each time, up to the maximum, and
 * spread over its upper half so that many callers do not come back at once. `random` is from 0 to 1.
 */
export function backoffMs(attempt: number, { baseMs, maxMs }: BackoffLimits, random: number): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30))
  return Math.round(full * (0.5 + random / 2))
}

/** Longest wait that a peer's Retry-After is granted, in milliseconds. */
const RETRY_AFTER_MAX_MS = 3_600_000

/** Milliseconds that a Retry-After header asks for (seconds or a date); 0 when absent or unreadable. */
export function retryAfterMs(header: string | undefined, nowMs: number): number {
  if (header === undefined || header === '') return 0
  const seconds = Number(header)
  const waitMs = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - nowMs
  return Number.isFinite(waitMs) ? Math.min(RETRY_AFTER_MAX_MS, Math.max(0, waitMs)) : 0
}
