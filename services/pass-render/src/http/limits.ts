import { randomInt } from 'node:crypto'
import { RateSketch } from '../domain/rate-sketch.ts'
import { Budget } from './budget.ts'

/** Lists of one device in ten seconds: a phone asks once per push, and a few times more when its network is bad. */
const MAX_LISTS_PER_DEVICE = 30
const LIST_WINDOW_MS = 10_000
/** A megabyte: devices of a window are far fewer. */
const LIST_COUNTERS = 1 << 20
const MAX_SEED = 2 ** 31

/** What phones may ask for how often. */
export interface PhoneLimits {
  /** Lists, by brand and device. */
  readonly lists: RateSketch
  /** Requests with logs, of all phones together. */
  readonly logRequests: Budget
  /** Lines of logs, of all phones together. */
  readonly logLines: Budget
}

/** Limits that nothing was spent of. */
export function createLimits(): PhoneLimits {
  const lists = { limit: MAX_LISTS_PER_DEVICE, windowMs: LIST_WINDOW_MS, counters: LIST_COUNTERS }
  return {
    lists: new RateSketch({ ...lists, seed: randomInt(MAX_SEED) }),
    logRequests: new Budget(),
    logLines: new Budget(),
  }
}
