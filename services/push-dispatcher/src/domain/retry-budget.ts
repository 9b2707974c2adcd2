import { type Bucket, fullBucket, refill, takeUpTo } from './token-bucket.ts'

/** Repetitions granted per first attempt: 10 %. */
const RETRY_SHARE = 0.1
/** Repetitions per second that are always granted, so that a small brand is not stuck. */
const RETRY_FLOOR_PER_SECOND = 10
/** Most repetitions saved up: the streams of one connection, which a reset may ask for at once. */
const RETRY_BURST = 1_000

const limits = { perSecond: RETRY_FLOOR_PER_SECOND, burst: RETRY_BURST }

/** What a brand may still repeat. Keeps our own repetitions from doubling an outage's load. */
export type RetryBudget = Bucket

/** The budget of a brand that has not sent yet. */
export function newRetryBudget(nowMs: number): RetryBudget {
  return fullBucket(limits, nowMs)
}

/** Credits first attempts. */
export function depositAttempts(budget: RetryBudget, attempts: number, nowMs: number): RetryBudget {
  const now = refill(budget, limits, nowMs)
  return { ...now, tokens: Math.min(RETRY_BURST, now.tokens + attempts * RETRY_SHARE) }
}

/** Takes up to `want` repetitions. */
export function withdrawRetries(
  budget: RetryBudget,
  want: number,
  nowMs: number,
): { readonly granted: number; readonly bucket: Bucket } {
  return takeUpTo(budget, limits, want, nowMs)
}
