/** What a lane remembers, in recipients divided by weight. */
export interface FairState {
  /** Where the brand that was picked last stood. */
  readonly clock: number
  /** Where each brand stands that waits or has just been served. */
  readonly tags: ReadonlyMap<string, number>
}

/** A lane that nobody has used yet. */
export const newFairState: FairState = { clock: 0, tags: new Map() }

/** A brand that waits for the lane. */
export interface Waiting {
  /** Slug of the brand. */
  readonly brand: string
  /** Share of the brand, 1 to 100. */
  readonly weight: number
  /** Recipients of its next chunk. */
  readonly size: number
}

/**
 * Weighted round-robin by recipients (start-time fair queueing): picks the brand that stands furthest behind, and
 * moves it on by size / weight. A brand that comes new or back from idleness starts at the clock: it does not save
 * up a claim. Index -1 when nobody waits.
 */
export function pickNext(
  state: FairState,
  waiting: readonly Waiting[],
): { readonly index: number; readonly state: FairState } {
  const tags = new Map<string, number>()
  for (const [brand, tag] of state.tags) if (tag > state.clock) tags.set(brand, tag)
  let index = -1
  let least = Number.POSITIVE_INFINITY
  for (const [at, { brand }] of waiting.entries()) {
    const tag = Math.max(state.clock, state.tags.get(brand) ?? state.clock)
    tags.set(brand, tag)
    if (tag < least) [index, least] = [at, tag]
  }
  const chosen = waiting[index]
  if (chosen === undefined) return { index: -1, state }
  tags.set(chosen.brand, least + chosen.size / Math.max(1, chosen.weight))
  return { index, state: { clock: least, tags } }
}
