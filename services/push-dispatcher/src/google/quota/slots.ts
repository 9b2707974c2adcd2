/** What the replicas know together about an issuer's quota. Instants of their wall clocks, Unix milliseconds. */
export interface QuotaState {
  /** The first slot that nobody has reserved. */
  readonly nextMs: number
  /** No call before this. */
  readonly pausedUntilMs: number
}

/** Some slots to send in, evenly spaced. */
export interface SlotBlock {
  readonly firstMs: number
  readonly count: number
}

/** What a replica wants. */
export interface SlotWish {
  readonly nowMs: number
  /** How long it takes until the reservation can be used: an earlier slot would be lost. */
  readonly leadMs: number
  readonly count: number
  readonly spacingMs: number
}

/**
 * How far ahead the first free slot can be: replicas reserve a quarter of a second each. What is further ahead was
 * written by a clock that is wrong.
 */
const AHEAD_MAX_MS = 10_000

/** The state as it was stored; one in which nothing is reserved when there is none. */
export function parseQuotaState(value: unknown): QuotaState {
  const { nextMs, pausedUntilMs } = (value ?? {}) as Record<string, unknown>
  return { nextMs: instant(nextMs), pausedUntilMs: instant(pausedUntilMs) }
}

/**
 * Takes the next slots: the generic cell rate algorithm without any burst, so slots that were reserved and not used
 * are lost, and never made up for. A replica that dies loses those that it holds, a quarter of a second at most.
 *
 * Replicas share slots by the wall clock. One whose clock is behind by d uses its slots d too late: nothing is lost,
 * it gets fewer of them, and for d after the shares of two replicas change both may send at once, d x rate calls too
 * many. Clocks kept by NTP differ by milliseconds, which the unused share of the quota covers; when they differ by
 * over 10 s the replicas stop to wait for each other, and Google's own limit is what is left.
 */
export function reserveSlots(
  state: QuotaState,
  { nowMs, leadMs, count, spacingMs }: SlotWish,
): { readonly state: QuotaState; readonly block: SlotBlock } {
  const firstMs = Math.min(Math.max(state.nextMs, nowMs + leadMs), nowMs + AHEAD_MAX_MS)
  return { state: { ...state, nextMs: firstMs + count * spacingMs }, block: { firstMs, count } }
}

function instant(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}
