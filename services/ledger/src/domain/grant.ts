import { type Draw, emptyLot } from './account.ts'
import {
  addSide,
  chooseLots,
  closePosting,
  type Draft,
  lotOf,
  moveLot,
  openPosting,
  putLot,
  takeDraws,
} from './draft.ts'
import type { PostingKind } from './posting.ts'
import type { Refusal } from './refusal.ts'
import type { EarnedTerm } from './sale.ts'
import { activateLot, expireLots, repayFrom } from './settle.ts'
import { smaller } from './shares.ts'

/** Give points outside of a receipt: for an event, or by hand. */
export interface GrantCommand {
  readonly kind: 'grant'
  /** Id of the grant, the lot's cause. */
  readonly grantId: string
  /** Positive. */
  readonly points: bigint
  readonly occurredAtMs: number
  readonly earnedTerm: EarnedTerm
  readonly funder: string
  readonly repayBasisPoints: bigint
  /** `issued` for what a rule gives, `adjusted` for a correction by hand. */
  readonly against: 'issued' | 'adjusted'
}

/** Take points away outside of a receipt: those of a grant first, then the others in the order of consumption. */
export interface RevokeCommand {
  readonly kind: 'revoke'
  readonly revokeId: string
  /** Positive. */
  readonly points: bigint
  readonly occurredAtMs: number
  /** Grant that is corrected; undefined: none in particular. */
  readonly grantId: string | undefined
  readonly against: 'issued' | 'adjusted'
  /** Whether what is not there becomes debt; otherwise it is refused. */
  readonly mayMakeDebt: boolean
  /** What is not there was burnt: the burn is taken back, and nothing is owed. */
  readonly isBurnt?: boolean
}

/** Let all that is spendable expire. */
export interface BurnCommand {
  readonly kind: 'burn'
  readonly atMs: number
}

/** Make pending points of a receipt or grant spendable. */
export interface ActivateCommand {
  readonly kind: 'activate'
  /** Receipt or grant. */
  readonly causeId: string
  /** End of the points' term that begins now. */
  readonly expiresAtMs: number
}

/** The giving side of a transfer. */
export interface SendCommand {
  readonly kind: 'send'
  readonly transferId: string
  /** Positive. */
  readonly points: bigint
}

/** The taking side of a transfer: lots with the terms of those that they come from. */
export interface ReceiveCommand {
  readonly kind: 'receive'
  readonly transferId: string
  readonly parts: readonly SentPart[]
}

/** Points of one lot on their way to another member; they keep their term and who bears their cost. */
export interface SentPart {
  readonly points: bigint
  readonly earnedAtMs: number
  readonly expiresAtMs: number
  readonly funder: string
  readonly repayBasisPoints: bigint
}

/** What a member gave away. */
export interface SendOutcome {
  readonly kind: 'send'
  readonly parts: readonly SentPart[]
}

/** Grants a lot. */
export function applyGrant(draft: Draft, command: GrantCommand, nowMs: number): void {
  const { points, earnedTerm, funder, repayBasisPoints, against } = command
  const kind: PostingKind = against === 'issued' ? 'grant' : 'adjust'
  const lotId = draft.newId()
  const isPending = earnedTerm.activatesAtMs > nowMs
  const posting = openPosting(kind, command.grantId, command.occurredAtMs)
  const earnedAtMs = command.occurredAtMs
  const causeId = command.grantId
  putLot(draft, emptyLot({ lotId, amount: points, earnedAtMs, ...earnedTerm, causeId, funder, repayBasisPoints }))
  addSide(posting, against, -points)
  moveLot(draft, posting, { lotId, purpose: 'grant', [isPending ? 'pending' : 'available']: points })
  if (!isPending) repayFrom(draft, posting, lotId, points)
  closePosting(draft, posting)
  if (against === 'issued') draft.lifetimeEarned += points
  expireLots(draft, nowMs)
}

/** Takes points away; refuses when there are not enough, unless debt is allowed. */
export function applyRevoke(draft: Draft, command: RevokeCommand): Refusal | undefined {
  const { points, against, grantId, mayMakeDebt, isBurnt = false } = command
  const posting = openPosting(against === 'issued' ? 'revoke' : 'adjust', command.revokeId, command.occurredAtMs)
  const own = [...draft.lots.values()].filter((lot) => grantId !== undefined && lot.causeId === grantId)
  let open = points
  for (const lot of own) {
    const pending = smaller(lot.pending, open)
    if (pending > 0n) moveLot(draft, posting, { lotId: lot.lotId, purpose: 'reverse', pending: -pending })
    open -= pending
  }
  for (const lots of [own, [...draft.lots.values()].filter((lot) => !own.includes(lot))]) {
    const draws = chooseLots(lots, open)
    takeDraws(draft, posting, draws, 'reverse')
    open -= draws.reduce((sum, draw) => sum + draw.points, 0n)
  }
  if (open > 0n && !mayMakeDebt) return { ok: false, reason: 'insufficient_points', available: points - open }
  addSide(posting, isBurnt ? 'expired' : 'debt', -open)
  addSide(posting, against, points)
  closePosting(draft, posting)
  if (against === 'issued') draft.lifetimeEarned -= points
  return undefined
}

/** Burns what is spendable. */
export function applyBurn(draft: Draft, { atMs }: BurnCommand): void {
  const posting = openPosting('expire', '', atMs)
  addSide(posting, 'expired', draft.available)
  for (const { lotId, available } of draft.lots.values()) {
    if (available > 0n) moveLot(draft, posting, { lotId, purpose: 'expire', available: -available })
  }
  closePosting(draft, posting)
}

/** Makes the pending points of a cause spendable, with the term that begins now. */
export function applyActivate(draft: Draft, command: ActivateCommand, nowMs: number): Refusal | undefined {
  const pending = [...draft.lots.values()].filter((lot) => lot.pending > 0n && lot.causeId === command.causeId)
  if (pending.length === 0) return { ok: false, reason: 'nothing_pending' }
  for (const lot of pending) {
    putLot(draft, { ...lot, activatesAtMs: nowMs, expiresAtMs: command.expiresAtMs })
    activateLot(draft, lot.lotId, nowMs)
  }
  return undefined
}

/** Takes points out of a member's lots for another member. */
export function applySend(draft: Draft, command: SendCommand, nowMs: number): SendOutcome | Refusal {
  if (draft.debt > 0n) return { ok: false, reason: 'owes_points', debt: draft.debt }
  if (draft.available < command.points) {
    return { ok: false, reason: 'insufficient_points', available: draft.available }
  }
  const draws = chooseLots(draft.lots.values(), command.points)
  const posting = openPosting('transfer', command.transferId, nowMs)
  takeDraws(draft, posting, draws, 'transfer')
  addSide(posting, 'transferred', command.points)
  closePosting(draft, posting)
  return { kind: 'send', parts: draws.map((draw) => sentPart(draft, draw)) }
}

/** Puts points into lots of the taking member. */
export function applyReceive(draft: Draft, { transferId, parts }: ReceiveCommand, nowMs: number): void {
  const posting = openPosting('transfer', transferId, nowMs)
  for (const { points, ...part } of parts) {
    const lotId = draft.newId()
    putLot(draft, emptyLot({ lotId, amount: points, activatesAtMs: nowMs, causeId: transferId, ...part }))
    moveLot(draft, posting, { lotId, purpose: 'transfer', available: points })
    repayFrom(draft, posting, lotId, points)
    addSide(posting, 'transferred', -points)
  }
  closePosting(draft, posting)
}

function sentPart(draft: Draft, { lotId, points }: Draw): SentPart {
  const { earnedAtMs, expiresAtMs, funder, repayBasisPoints } = lotOf(draft, lotId)
  return { points, earnedAtMs, expiresAtMs, funder, repayBasisPoints }
}
