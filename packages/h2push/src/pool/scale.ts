/** What a pool has measured since its last look. */
export interface Load {
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
  const { ready, connectionsMin, connectionsMax, starvedLooks, amplyMs, shrinkMs } = load
  const least = Math.max(connectionsMin, load.queued > 0 ? 1 : 0)
  if (load.queued > 0 && load.free === 0 && starvedLooks >= STARVED_LOOKS)
    return Math.min(connectionsMax, Math.max(least, ready + Math.max(1, Math.floor(ready / 2))))
  if (ready > Math.max(1, connectionsMin) && isAmple(load) && amplyMs >= shrinkMs) return ready - 1
  return Math.min(connectionsMax, Math.max(least, ready))
}

/** Whether one connection fewer would have been enough. */
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
