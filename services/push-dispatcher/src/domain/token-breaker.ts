/** Answers that the share of bad tokens is taken of: older ones count less and less. */
export const WINDOW_ANSWERS = 2_000
/** With fewer answers than this nothing is concluded. */
export const ANSWERS_MIN = 500
/** A share of bad tokens above this is no stale registration here and there: the list or the environment is wrong. */
export const BAD_SHARE_MAX = 0.5
/** Pushes of a probe. */
export const PROBE_PUSHES = 50
/** A probe without enough answers after this long is begun anew, in milliseconds. */
export const PROBE_MS = 60_000
/** First and longest pause, in milliseconds: doubled each time a probe fails. */
export const PAUSE_FIRST_MS = 30_000
export const PAUSE_MAX_MS = 900_000

/**
 * Guards the bulk lane of a brand against a list of tokens that are not hers: at BadDeviceToken Apple closes connections
 * sooner than at any other answer. Plain data; `nowMs` is Unix milliseconds throughout.
 */
export type TokenBreaker =
  /** Pushes flow. */
  | { readonly kind: 'closed'; readonly answers: number; readonly bad: number }
  /** Nothing goes until then; `trips` pauses in a row. */
  | { readonly kind: 'open'; readonly untilMs: number; readonly trips: number }
  /** A probe is under way: so many of its pushes may still go. */
  | {
      readonly kind: 'half-open'
      readonly sinceMs: number
      readonly left: number
      readonly answers: number
      readonly bad: number
      readonly trips: number
    }

/** The breaker of a brand without history. */
export const newTokenBreaker: TokenBreaker = { kind: 'closed', answers: 0, bad: 0 }

/** The breaker as it stands now: a pause that is over becomes a probe, a probe that got stuck a new one. */
export function atInstant(breaker: TokenBreaker, nowMs: number): TokenBreaker {
  const isOver =
    (breaker.kind === 'open' && nowMs >= breaker.untilMs) ||
    (breaker.kind === 'half-open' && nowMs >= breaker.sinceMs + PROBE_MS)
  if (!isOver) return breaker
  return { kind: 'half-open', sinceMs: nowMs, left: PROBE_PUSHES, answers: 0, bad: 0, trips: breaker.trips }
}

/** Pushes that may go now; Infinity while the breaker is closed. */
export function roomOf(breaker: TokenBreaker): number {
  if (breaker.kind === 'closed') return Number.POSITIVE_INFINITY
  return breaker.kind === 'open' ? 0 : breaker.left
}

/** Pushes were sent. */
export function spend(breaker: TokenBreaker, pushes: number): TokenBreaker {
  return breaker.kind === 'half-open' ? { ...breaker, left: Math.max(0, breaker.left - pushes) } : breaker
}

/** Answers of APNs came in, `bad` of them BadDeviceToken. Those that come while it is open change nothing. */
export function recordAnswers(breaker: TokenBreaker, answers: number, bad: number, nowMs: number): TokenBreaker {
  if (breaker.kind === 'open') return breaker
  const sum = { answers: breaker.answers + answers, bad: breaker.bad + bad }
  const isBad = sum.bad > sum.answers * BAD_SHARE_MAX
  if (breaker.kind === 'closed') {
    if (isBad && sum.answers >= ANSWERS_MIN) return { kind: 'open', untilMs: nowMs + PAUSE_FIRST_MS, trips: 1 }
    const kept = Math.min(1, WINDOW_ANSWERS / Math.max(1, sum.answers))
    return { kind: 'closed', answers: sum.answers * kept, bad: sum.bad * kept }
  }
  if (sum.answers < PROBE_PUSHES) return { ...breaker, ...sum }
  if (!isBad) return newTokenBreaker
  const pauseMs = Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** breaker.trips)
  return { kind: 'open', untilMs: nowMs + pauseMs, trips: breaker.trips + 1 }
}
