/** A grant of points: what it gave, what is left of it and when it ends. */
export interface Lot {
  /** UUIDv7. */
  readonly lotId: string
  /** Points granted, and restored to it where it is a grace lot; positive. */
  readonly amount: bigint
  /** Spendable part. */
  readonly available: bigint
  /** Part that is not active yet. */
  readonly pending: bigint
  /** Part promised to open holds. */
  readonly held: bigint
  /** When the points were earned, Unix milliseconds. */
  readonly earnedAtMs: number
  /** When the pending part becomes spendable, Unix milliseconds; infinite: only by a command. */
  readonly activatesAtMs: number
  /** First instant at which the lot is unusable, Unix milliseconds; infinite: never. */
  readonly expiresAtMs: number
  /** What granted it: a receipt, the sale whose return made it, or a grant. */
  readonly causeId: string
  /** For a grace lot: the expired lot whose points it carries. */
  readonly originLotId: string | null
  /** Who bears what it costs. */
  readonly funder: string
  /** Share of it that repays what the member owes, basis points. */
  readonly repayBasisPoints: bigint
}

/** Points of one lot, in a list kept in the order of consumption. */
export interface Draw {
  readonly lotId: string
  /** Positive. */
  readonly points: bigint
}

/** A lot without points; its makers move them in. */
export function emptyLot(
  lot: Omit<Lot, 'available' | 'pending' | 'held' | 'originLotId'> & { readonly originLotId?: string },
): Lot {
  return { originLotId: null, ...lot, available: 0n, pending: 0n, held: 0n }
}

/** What became of a hold. Only an open one has points. */
export type HoldState = 'open' | 'committed' | 'cancelled' | 'expired'

/** Points promised to a basket until a deadline. */
export interface Hold {
  readonly holdId: string
  /** Basket or receipt; one open hold per reference. */
  readonly reference: string
  readonly points: bigint
  readonly createdAtMs: number
  /** First instant at which it can no longer be used, Unix milliseconds. */
  readonly expiresAtMs: number
  readonly state: HoldState
  /** Points used when committed. */
  readonly committed: bigint
  /** Lots that it holds, first to be consumed first. */
  readonly draws: readonly Draw[]
  /** At its deadline a donation is final; nothing but its undoing can use it before. */
  readonly isDonation: boolean
}

/** Totals of a member's account; each equals the sum of its entries. */
export interface Totals {
  readonly available: bigint
  readonly pending: bigint
  readonly held: bigint
  /** Points owed; not negative. */
  readonly debt: bigint
  /** Count of postings. */
  readonly version: bigint
  /** Points ever earned, net of reversed ones. */
  readonly lifetimeEarned: bigint
}

/** A member's account as far as a decision needs it: lots that have points or are named, holds that are open or named. */
export interface Account extends Totals {
  readonly lots: ReadonlyMap<string, Lot>
  readonly holds: ReadonlyMap<string, Hold>
}

/** Account of a member who never had a posting. */
export const emptyAccount: Account = {
  available: 0n,
  pending: 0n,
  held: 0n,
  debt: 0n,
  version: 0n,
  lifetimeEarned: 0n,
  lots: new Map(),
  holds: new Map(),
}

/** First to expire first; then first earned; then by id, so that the order is total. */
export function compareLots(left: Lot, right: Lot): number {
  if (left.expiresAtMs !== right.expiresAtMs) return left.expiresAtMs < right.expiresAtMs ? -1 : 1
  if (left.earnedAtMs !== right.earnedAtMs) return left.earnedAtMs - right.earnedAtMs
  return left.lotId < right.lotId ? -1 : 1
}
