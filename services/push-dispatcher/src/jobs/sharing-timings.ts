import { dispatcherTtlMs } from '@stampede/platform'

/** How fast replicas find each other, hand lanes over and end, in milliseconds. Tests shorten it. */
export interface SharingTimings {
  /** How often a replica says that it lives. */
  readonly heartbeatMs: number
  /** One who was silent for longer is gone. */
  readonly ttlMs: number
  /** One who did not hear himself for so long is deaf, and judges nobody. */
  readonly deafAfterMs: number
  /** How often silent replicas are looked for. */
  readonly sweepMs: number
  /** Changes within this time are taken together: who leaves and is back at once was never away. */
  readonly settleMs: number
  /** A lane that others took over is given up after this: by then they read it, and have shown that they stay. */
  readonly giveUpMs: number
  /** What is in hand at the end may take so long to be finished; then it is given back, and done again by others. */
  readonly drainMs: number
}

/** Four heartbeats within the TTL of the bucket; two may get lost. A process has 15 s to end. */
export const defaultSharingTimings: SharingTimings = {
  heartbeatMs: 2_500,
  ttlMs: dispatcherTtlMs,
  deafAfterMs: 6_000,
  sweepMs: 1_000,
  settleMs: 500,
  giveUpMs: 5_000,
  drainMs: 8_000,
}
