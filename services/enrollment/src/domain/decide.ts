import type { IndexKind } from './keys.ts'

/** One item of a batch of enrolments, as far as the decision needs it. Binary values are hexadecimal. */
export interface Candidate {
  /** Place in the caller's request. */
  readonly position: number
  readonly idempotencyKey: string
  /** Keyed hash of the item's body. */
  readonly bodyHash: string
  /** Index values that the new member would occupy. */
  readonly claims: readonly Claim[]
}

/** A value that only one member of a brand may have. */
export interface Claim {
  readonly kind: IndexKind
  /** Keyed hash of the value. */
  readonly value: string
}

/** What the database knows of a batch before it. */
export interface Known {
  /** Earlier requests by idempotency key. */
  readonly requests: ReadonlyMap<string, EarlierRequest>
  /** Claims that are taken, by claimId. */
  readonly claimed: ReadonlySet<string>
}

/** A request of the past 400 days. */
export interface EarlierRequest {
  readonly bodyHash: string
  readonly memberId: string
}

/** What becomes of one item. */
export type Decision =
  | { readonly kind: 'create' }
  | { readonly kind: 'replay'; readonly memberId: string }
  /** The same key and body came earlier in this very batch. */
  | { readonly kind: 'replay-of'; readonly position: number }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'taken'; readonly by: IndexKind }

/** Key of a claim in a set. */
export function claimId(claim: Claim): string {
  return `${claim.kind}/${claim.value}`
}

/**
 * Decides a batch as if its items came one after the other: an item that fails takes nothing, one that is
 * created takes its key and its claims from those behind it.
 */
export function decideEnrolments(candidates: readonly Candidate[], known: Known): ReadonlyMap<number, Decision> {
  const decisions = new Map<number, Decision>()
  const created = new Map<string, Candidate>()
  const taken = new Set<string>()

  for (const candidate of candidates) {
    const decision = decideOne(candidate, known, created, taken)
    decisions.set(candidate.position, decision)
    if (decision.kind !== 'create') continue
    created.set(candidate.idempotencyKey, candidate)
    for (const claim of candidate.claims) taken.add(claimId(claim))
  }
  return decisions
}

function decideOne(
  candidate: Candidate,
  known: Known,
  created: ReadonlyMap<string, Candidate>,
  taken: ReadonlySet<string>,
): Decision {
  const earlier = known.requests.get(candidate.idempotencyKey)
  if (earlier !== undefined)
    return earlier.bodyHash === candidate.bodyHash
      ? { kind: 'replay', memberId: earlier.memberId }
      : { kind: 'conflict' }
  const sibling = created.get(candidate.idempotencyKey)
  if (sibling !== undefined)
    return sibling.bodyHash === candidate.bodyHash
      ? { kind: 'replay-of', position: sibling.position }
      : { kind: 'conflict' }
  const lost = candidate.claims.find((claim) => known.claimed.has(claimId(claim)) || taken.has(claimId(claim)))
  return lost === undefined ? { kind: 'create' } : { kind: 'taken', by: lost.kind }
}
