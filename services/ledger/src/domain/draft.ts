import assert from 'node:assert/strict'
import { type Account, compareLots, type Draw, type Hold, type Lot } from './account.ts'
import type { Allocation, Entry, LedgerAccount, Posting, PostingKind, Purpose } from './posting.ts'
import { smaller } from './shares.ts'

/** An account while a decision works on it. A refused decision drops its draft, so nothing is changed. */
export interface Draft {
  available: bigint
  pending: bigint
  held: bigint
  debt: bigint
  version: bigint
  lifetimeEarned: bigint
  readonly lots: Map<string, Lot>
  readonly holds: Map<string, Hold>
  readonly postings: Posting[]
  /** Lots that are new or differ from the account's. */
  readonly touchedLots: Set<string>
  /** Holds that are new or differ from the account's. */
  readonly touchedHolds: Set<string>
  readonly newId: () => string
}

/** A posting that is being written. */
export interface OpenPosting {
  readonly kind: PostingKind
  readonly causeId: string
  readonly occurredAtMs: number
  readonly allocations: Allocation[]
  readonly sums: Map<LedgerAccount, bigint>
}

/** Starts to work on an account; `newId` gives ids of transactions and lots. */
export function openDraft(account: Account, newId: () => string): Draft {
  return {
    available: account.available,
    pending: account.pending,
    held: account.held,
    debt: account.debt,
    version: account.version,
    lifetimeEarned: account.lifetimeEarned,
    lots: new Map(account.lots),
    holds: new Map(account.holds),
    postings: [],
    touchedLots: new Set(),
    touchedHolds: new Set(),
    newId,
  }
}

/** The account that a draft came to. */
export function draftAccount(draft: Draft): Account {
  const { available, pending, held, debt, version, lifetimeEarned, lots, holds } = draft
  return { available, pending, held, debt, version, lifetimeEarned, lots, holds }
}

/** Begins a posting; it counts only once it is closed. */
export function openPosting(kind: PostingKind, causeId: string, occurredAtMs: number): OpenPosting {
  return { kind, causeId, occurredAtMs, allocations: [], sums: new Map() }
}

/** Adds to one account's side of the posting. */
export function addSide(posting: OpenPosting, account: LedgerAccount, amount: bigint): void {
  posting.sums.set(account, (posting.sums.get(account) ?? 0n) + amount)
}

/** A change of one lot; parts that are left out stay. */
export type LotChange = Pick<Allocation, 'lotId' | 'purpose'> & Partial<Allocation>

/** Changes a lot and, with it, the member's available, pending and held points. */
export function moveLot(draft: Draft, posting: OpenPosting, change: LotChange): void {
  const allocation = { available: 0n, pending: 0n, held: 0n, ...change }
  const lot = lotOf(draft, change.lotId)
  const available = lot.available + allocation.available
  const pending = lot.pending + allocation.pending
  const held = lot.held + allocation.held
  assert(available >= 0n && pending >= 0n && held >= 0n, `lot ${lot.lotId} went below zero`)
  putLot(draft, { ...lot, available, pending, held })
  posting.allocations.push(allocation)
  addSide(posting, 'available', allocation.available)
  addSide(posting, 'pending', allocation.pending)
  addSide(posting, 'held', allocation.held)
}

/** Changes what the member owes; positive makes debt. */
export function moveDebt(posting: OpenPosting, owed: bigint): void {
  addSide(posting, 'debt', -owed)
}

/** What the member owes once an open posting is closed: several lots of it may repay one debt. */
export function debtAfter(draft: Draft, posting: OpenPosting): bigint {
  return draft.debt - (posting.sums.get('debt') ?? 0n)
}

/** Closes a posting: checks that it sums to zero and applies it to the totals. One that moves nothing leaves no trace. */
export function closePosting(draft: Draft, posting: OpenPosting): void {
  const entries: Entry[] = []
  let sum = 0n
  for (const [account, amount] of posting.sums) {
    if (amount === 0n) continue
    entries.push({ account, amount })
    sum += amount
  }
  assert.equal(sum, 0n, `a ${posting.kind} does not sum to zero`)
  if (entries.length === 0 && posting.allocations.length === 0) return
  draft.available += posting.sums.get('available') ?? 0n
  draft.pending += posting.sums.get('pending') ?? 0n
  draft.held += posting.sums.get('held') ?? 0n
  draft.debt -= posting.sums.get('debt') ?? 0n
  draft.version += 1n
  const isSound = draft.available >= 0n && draft.pending >= 0n && draft.held >= 0n && draft.debt >= 0n
  assert(isSound, 'an account went below zero')
  const { kind, causeId, occurredAtMs, allocations } = posting
  draft.postings.push({
    transactionId: draft.newId(),
    version: draft.version,
    kind,
    occurredAtMs,
    causeId,
    entries,
    allocations,
  })
}

/** Adds a lot or replaces one. */
export function putLot(draft: Draft, lot: Lot): void {
  draft.lots.set(lot.lotId, lot)
  draft.touchedLots.add(lot.lotId)
}

/** Adds a hold or replaces one. */
export function putHold(draft: Draft, hold: Hold): void {
  draft.holds.set(hold.holdId, hold)
  draft.touchedHolds.add(hold.holdId)
}

/** A lot that must be there: whoever names it has loaded it. */
export function lotOf(draft: Draft, lotId: string): Lot {
  const lot = draft.lots.get(lotId)
  assert(lot !== undefined, `lot ${lotId} was not loaded`)
  return lot
}

/** Which lots give `points`, first to expire first; fewer when they have not enough. */
export function chooseLots(lots: Iterable<Lot>, points: bigint): readonly Draw[] {
  const draws: Draw[] = []
  let open = points
  for (const lot of [...lots].filter((candidate) => candidate.available > 0n).sort(compareLots)) {
    if (open === 0n) break
    const taken = smaller(lot.available, open)
    draws.push({ lotId: lot.lotId, points: taken })
    open -= taken
  }
  return draws
}

/** Sum of a list of draws. */
export function drawn(draws: readonly Draw[]): bigint {
  return draws.reduce((sum, draw) => sum + draw.points, 0n)
}

/** Takes draws out of the spendable part of their lots. */
export function takeDraws(draft: Draft, posting: OpenPosting, draws: readonly Draw[], purpose: Purpose): void {
  for (const { lotId, points } of draws) moveLot(draft, posting, { lotId, purpose, available: -points })
}
