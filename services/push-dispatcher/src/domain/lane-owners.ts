import { rankReplicas } from './rendezvous.ts'

/** Replicas that serve a brand's tx lane: a second one, so that the end of one delays no urgent push. */
const TX_COPIES = 2

/** What decides who serves a brand. */
export interface SharedBrand {
  /** Slug. */
  readonly brand: string
  /** Share of the bulk lane, 1 to 100. */
  readonly weight: number
}

/** How many of so many replicas serve a lane of a brand: two for `tx`, as many as its weight for `bulk`. */
export function laneCopies(lane: 'tx' | 'bulk', weight: number, replicas: number): number {
  return Math.min(replicas, lane === 'tx' ? TX_COPIES : Math.max(1, weight))
}

/** The replicas that serve a lane of a brand. Both lanes have the same ranking, so that they share replicas. */
export function laneOwners(
  lane: 'tx' | 'bulk',
  { brand, weight }: SharedBrand,
  replicas: readonly string[],
): readonly string[] {
  return rankReplicas(brand, replicas).slice(0, laneCopies(lane, weight, replicas.length))
}
