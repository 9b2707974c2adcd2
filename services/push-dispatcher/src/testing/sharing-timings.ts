import type { SharingTimings } from '../jobs/sharing-timings.ts'

/** A tenth of the real ones, with room for a busy machine. */
export const testSharingTimings: SharingTimings = {
  heartbeatMs: 200,
  ttlMs: 1_500,
  deafAfterMs: 900,
  sweepMs: 100,
  settleMs: 50,
  giveUpMs: 500,
  drainMs: 1_000,
}
