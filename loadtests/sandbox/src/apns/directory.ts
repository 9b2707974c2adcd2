/** What APNs knows of a token and a topic. */
export type TokenState =
  | { readonly kind: 'active' }
  /** The token was never given out. */
  | { readonly kind: 'unknown' }
  /** The phone never held a pass of this type. */
  | { readonly kind: 'other-topic' }
  /** The phone had such a pass until `sinceMs` (Unix ms). */
  | { readonly kind: 'gone'; readonly sinceMs: number }

/** The phones as APNs sees them. */
export interface TokenDirectory {
  /** State of a token (lower-case hex) for a topic. */
  look(token: string, topic: string): TokenState
  /** Hands an accepted push to its phone. Called after the journal holds the row. */
  deliver(token: string, topic: string, acceptedAt: number): void
}
