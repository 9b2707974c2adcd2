/** What the leader knows when it decides how many chunks to release. */
export interface PacingInput {
  readonly nowMs: number
  /** Passes per second that pass-render's replicas can answer together; 0 when none has spoken. */
  readonly capacityPerSecond: number
  /** Campaigns with chunks that wait, this one included: each takes an equal share of the capacity. */
  readonly sharedBy: number
  /** The campaign's own ceiling, 0 for none. */
  readonly maxPerSecond: number
  /** Chunks released and not complete. */
  readonly openChunks: number
  /** Phones on their way: passes of open chunks, and those accepted within the last 60 s that have not fetched. */
  readonly outstanding: number
  /** The rate allows nothing before; Unix ms. */
  readonly nextReleaseAtMs: number
  /** Passes of the chunks that wait, in order. */
  readonly waiting: readonly number[]
}

/** What is released now, and when the rate allows the next. */
export interface PacingDecision {
  readonly release: number
  readonly nextReleaseAtMs: number
}

/** Chunks released and not complete, at most. */
export const openChunksMax = 32
/** Share of the published capacity that campaigns may use; purchases need the rest. */
const capacityShare = 0.8
/** Phones on their way never exceed what is answered within this time. */
const outstandingSeconds = 60
/** Used while no replica has published a capacity. */
const cautiousPerSecond = 100
/** A look that comes late makes up for so much: small chunks would else be held to one per look. */
const catchUpMs = 250

/** Phones that may be on their way at a time, of all campaigns together. */
export function windowPhones(capacityPerSecond: number): number {
  return (capacityPerSecond > 0 ? capacityPerSecond : cautiousPerSecond) * capacityShare * outstandingSeconds
}

/**
 * Releases chunks in order while all three limits hold: open chunks, phones on their way, and the rate
 * min(own, 0.8 x capacity). A chunk larger than the whole window goes out alone rather than never.
 */
export function paceCampaign(input: PacingInput): PacingDecision {
  const window = windowPhones(input.capacityPerSecond) / Math.max(1, input.sharedBy)
  const share = window / outstandingSeconds
  const rate = input.maxPerSecond > 0 ? Math.min(input.maxPerSecond, share) : share
  let { openChunks, outstanding, nextReleaseAtMs } = input
  let release = 0
  for (const passes of input.waiting) {
    const fits = outstanding === 0 || outstanding + passes <= window
    if (!fits || openChunks >= openChunksMax || nextReleaseAtMs > input.nowMs) break
    release += 1
    openChunks += 1
    outstanding += passes
    nextReleaseAtMs = Math.max(input.nowMs - catchUpMs, nextReleaseAtMs) + (passes / rate) * 1000
  }
  return { release, nextReleaseAtMs }
}
