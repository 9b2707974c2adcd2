import { evaluateTier, type TierFacts } from './evaluate.ts'
import { rankOf, type TierLadder } from './ladder.ts'

/** How many members a new ladder would move. */
export interface LadderSimulation {
  readonly up: number
  readonly down: number
  readonly same: number
  /** Members by tier under the new ladder; the empty text for none. */
  readonly members: ReadonlyMap<string, number>
}

/**
 * What publishing a ladder would do at this instant: every member is assessed anew by what is counted now, as if all
 * windows ended now. Members are read once, one after the other.
 */
export function simulateLadder(members: Iterable<TierFacts>, next: TierLadder): LadderSimulation {
  const counts = { up: 0, down: 0, same: 0 }
  const byTier = new Map<string, number>()
  for (const facts of members) {
    const now = evaluateTier(facts).state
    const then = evaluateTier({ ...facts, ladder: next, state: undefined }).state
    const before = next.tiers.findIndex(({ tierId }) => tierId === now.tierId)
    const after = rankOf(next, then.tierId)
    counts[after > before ? 'up' : after < before ? 'down' : 'same'] += 1
    byTier.set(then.tierId ?? '', (byTier.get(then.tierId ?? '') ?? 0) + 1)
  }
  return { ...counts, members: byTier }
}
