/** What a pool has measured since its last look. */
export interface Load {
  /** Connections that there should be so far. */
  readonly wanted: number
  /** Connections that take requests. */
  readonly ready: number
  readonly connectionsMin: number
  readonly connectionsMax: number
  /** Requests that wait. */
  readonly queued: number
  /** Streams that are free on all connections together. */
  readonly free: number
  /** Streams that are open on all connections together. */
  readonly live: number
  /** Streams that one connection may have. */
  readonly streamLimit: number
  /** Looks in a row that found requests waiting and no stream free. */
  readonly starvedLooks: number
  /** How long the present number of connections has been more than enough, in milliseconds. */
  readonly amplyMs: number
  readonly shrinkMs: number
}

/** Looks in a row after which a pool grows: one may be chance. */
const STARVED_LOOKS = 2
/** With one connection fewer the rest would be filled to this share. */
const SHRINK_SHARE = 0.5

/**
 * How many connections a pool should have. It grows by half (at least one) when requests keep waiting though every
 * stream is taken, which is what a rate above streams / latency looks like; it shrinks by one when one fewer would
 * have been enough for long.
 */
export function wantedConnections(load: Load): number {
  const { wanted, ready, connectionsMin, connectionsMax } = load
  const least = Math.max(connectionsMin, wanted, load.queued > 0 ? 1 : 0)
  // Those that were wanted before come first.
  if (load.starvedLooks >= STARVED_LOOKS && ready >= wanted)
    return Math.min(connectionsMax, least + Math.max(1, Math.floor(least / 2)))
  const isTooMany = isAmple(load) && load.amplyMs >= load.shrinkMs && wanted > Math.max(1, connectionsMin)
  return isTooMany ? wanted - 1 : least
}

/** Whether requests wait though every stream is taken. */
export function isStarved({ ready, queued, free }: Load): boolean {
  return ready > 0 && queued > 0 && free === 0
}

/** Whether one connection fewer would be enough. */
export function isAmple({ ready, live, streamLimit }: Load): boolean {
  return ready > 1 && live < (ready - 1) * streamLimit * SHRINK_SHARE
}

/**
 * Wait before dial number `failures` after failed ones, in milliseconds: doubled each time, spread over its upper half
 * so that many pools do not come back at once. `random` is from 0 to 1.
 */
export function dialDelayMs(failures: number, baseMs: number, maxMs: number, random: number): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 30))
  return Math.round(full * (0.5 + random / 2))
}
