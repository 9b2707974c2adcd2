/** Bounds of silence, in milliseconds. */
export interface SilenceLimits {
  /** One who was silent for longer is gone. */
  readonly ttlMs: number
  /** One who did not hear himself for so long is deaf, and judges nobody. */
  readonly deafAfterMs: number
}

/** The replicas as one of them knows them. Instants are milliseconds of a clock that never goes back. */
export interface Membership {
  /** The one who keeps this. */
  readonly self: string
  /** The others, and when each was heard last. */
  readonly heard: ReadonlyMap<string, number>
  /** When his own heartbeat last came back to him. */
  readonly selfHeardMs: number
  /** Since when there was no gap in that. */
  readonly hearingSinceMs: number
}

/** A replica that knows nobody else yet. */
export function newMembership(self: string, nowMs: number): Membership {
  return { self, heard: new Map(), selfHeardMs: nowMs, hearingSinceMs: nowMs }
}

/** A heartbeat arrived. */
export function heard(members: Membership, replica: string, limits: SilenceLimits, nowMs: number): Membership {
  if (replica !== members.self) return { ...members, heard: new Map(members.heard).set(replica, nowMs) }
  const wasDeaf = isDeaf(members, limits, nowMs)
  return { ...members, selfHeardMs: nowMs, hearingSinceMs: wasDeaf ? nowMs : members.hearingSinceMs }
}

/** A replica said that it leaves. */
export function left(members: Membership, replica: string): Membership {
  const others = new Map(members.heard)
  return others.delete(replica) ? { ...members, heard: others } : members
}

/**
 * Drops those who were silent for too long. A broker that is away silences everybody, oneself included: then all stay,
 * and after it is back each gets the full time to be heard again.
 */
export function withoutSilent(members: Membership, limits: SilenceLimits, nowMs: number): Membership {
  if (isDeaf(members, limits, nowMs)) return members
  const alive = [...members.heard].filter(([, atMs]) => nowMs - Math.max(atMs, members.hearingSinceMs) <= limits.ttlMs)
  return alive.length === members.heard.size ? members : { ...members, heard: new Map(alive) }
}

/** All replicas, oneself included, in a fixed order. */
export function replicasOf({ self, heard: others }: Membership): readonly string[] {
  return [self, ...others.keys()].sort()
}

function isDeaf({ selfHeardMs }: Membership, { deafAfterMs }: SilenceLimits, nowMs: number): boolean {
  return nowMs - selfHeardMs > deafAfterMs
}
