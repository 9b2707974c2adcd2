import { type Clock, changeShared, type Nats, type SharedKey } from '@stampede/platform'
import type { Hold } from './api/call-api.ts'

/** A claim that is not kept ends after this, in milliseconds: a killed replica holds a resource no longer. */
const CLAIM_MS = 25_000
/** It is kept when less than this is left, in milliseconds: a wait for a turn (5 s) and a call (10 s) fit into it. */
const KEEP_MS = 20_000

/** What a claimed record holds besides its own content. Instants are Unix milliseconds. */
export interface Claimed {
  /** Until when somebody works on it; 0 when nobody does. */
  readonly busyUntilMs: number
  /** Who: no two claims have the same. */
  readonly claim: string
}

/** A record nobody works on. */
export const unclaimed: Claimed = { busyUntilMs: 0, claim: '' }

/** The claim in a stored record. */
export function parseClaimed(value: unknown): Claimed {
  const { busyUntilMs, claim } = (value ?? {}) as Record<string, unknown>
  return typeof busyUntilMs === 'number' && typeof claim === 'string' ? { busyUntilMs, claim } : unclaimed
}

/** Whether somebody works on it now. Wait and call leave 5 s of a claim: clocks of replicas may differ by so much. */
export function isBusy({ busyUntilMs }: Claimed, nowMs: number): boolean {
  return busyUntilMs > nowMs
}

/** A claim that begins now. */
export function claimNow(claim: string, nowMs: number): Claimed {
  return { claim, busyUntilMs: nowMs + CLAIM_MS }
}

/** What a claim on a record is kept with. */
export interface ClaimParts {
  readonly nats: Nats
  readonly clock: Clock
  readonly key: SharedKey
  readonly lifeMs: number
}

/** A claim that is held: while it is, no other replica works on the record. */
export class HeldClaim implements Hold {
  readonly claim: string
  readonly #parts: ClaimParts
  #untilMs: number

  constructor(parts: ClaimParts, claimed: Claimed) {
    this.#parts = parts
    this.claim = claimed.claim
    this.#untilMs = claimed.busyUntilMs
  }

  async keep(): Promise<boolean> {
    const { clock } = this.#parts
    if (this.#untilMs - clock.nowMs() >= KEEP_MS) return true
    const next = claimNow(this.claim, clock.nowMs())
    const kept = await this.change((value) => ({ ...value, ...next }))
    if (kept) this.#untilMs = next.busyUntilMs
    return kept
  }

  /** Gives the record free with what `last` makes of its content; nothing happens when the claim is lost. Throws UNAVAILABLE. */
  async release(last: (value: object) => object = (value) => value): Promise<void> {
    await this.change((value) => ({ ...last(value), ...unclaimed }))
  }

  /** Changes the record; false when somebody else has it now. Throws UNAVAILABLE. */
  async change(next: (value: object) => object): Promise<boolean> {
    const { nats, key, lifeMs } = this.#parts
    return changeShared(nats, key, lifeMs, (value) => {
      if (parseClaimed(value).claim !== this.claim) return { result: false }
      return { result: true, write: next(value as object) }
    })
  }
}
