/** What a posting is called in a member's history. */
export type PostingKind =
  | 'earn'
  | 'activate'
  | 'spend'
  | 'hold'
  | 'commit'
  | 'cancel'
  | 'return'
  | 'extend'
  | 'expire'
  | 'grant'
  | 'revoke'
  | 'adjust'
  | 'transfer'
  | 'donate'
  | 'order'
  | 'cancel_order'

/** Member's accounts, then the programme's. A debt of n points is a balance of -n. */
export type LedgerAccount =
  | 'available'
  | 'pending'
  | 'held'
  | 'debt'
  | 'issued'
  | 'redeemed'
  | 'expired'
  | 'adjusted'
  | 'transferred'
  | 'donated'

/** One side of a transaction. */
export interface Entry {
  readonly account: LedgerAccount
  /** Signed, not zero. */
  readonly amount: bigint
}

/** Why a transaction touched a lot. */
export type Purpose =
  | 'grant'
  | 'activate'
  | 'repay'
  | 'hold'
  | 'spend'
  | 'release'
  | 'restore'
  | 'reverse'
  | 'extend'
  | 'expire'
  | 'transfer'

/** What a transaction changed in one lot. */
export interface Allocation {
  readonly lotId: string
  readonly purpose: Purpose
  /** Signed change of the lot's spendable part. */
  readonly available: bigint
  /** Signed change of the part that is not active yet. */
  readonly pending: bigint
  /** Signed change of the lot's held part. */
  readonly held: bigint
}

/** A transaction: its entries sum to zero, its allocations to its entries. */
export interface Posting {
  /** UUIDv7. */
  readonly transactionId: string
  /** Version of the account after it. */
  readonly version: bigint
  readonly kind: PostingKind
  /** Business time, Unix milliseconds. */
  readonly occurredAtMs: number
  /** Receipt, return or hold; empty for expiry. */
  readonly causeId: string
  readonly entries: readonly Entry[]
  readonly allocations: readonly Allocation[]
}
