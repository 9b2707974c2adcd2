import type { Draw, Hold } from './account.ts'
import { addSide, chooseLots, closePosting, type Draft, moveLot, openPosting, putHold } from './draft.ts'
import type { Refusal } from './refusal.ts'
import { cancelHold, expireLots, releaseDraw } from './settle.ts'
import { smaller } from './shares.ts'

/** Promise points to a basket. */
export interface HoldCommand {
  readonly kind: 'hold'
  readonly holdId: string
  /** Positive. */
  readonly points: bigint
  readonly reference: string
  /** Unix milliseconds. */
  readonly expiresAtMs: number
  /** Its points are given away at its deadline instead of given back. */
  readonly isDonation?: true
}

/** Use a hold outside of a receipt. */
export interface CommitCommand {
  readonly kind: 'commit'
  readonly holdId: string
  /** Positive; the rest of the hold goes back to its lots. */
  readonly points: bigint
}

/** Give a hold up, or undo a donation. */
export interface CancelCommand {
  readonly kind: 'cancel'
  readonly holdId: string
  readonly isDonation?: true
}

/** Creates a hold; an open one with the same reference is given up first. */
export function applyHold(draft: Draft, command: HoldCommand, nowMs: number): Refusal | undefined {
  for (const earlier of draft.holds.values()) {
    if (earlier.state === 'open' && earlier.reference === command.reference && !earlier.isDonation) {
      cancelHold(draft, earlier, nowMs, 'cancelled')
    }
  }
  if (draft.available < command.points) {
    return { ok: false, reason: 'insufficient_points', available: draft.available }
  }
  const draws = chooseLots(draft.lots.values(), command.points)
  const posting = openPosting('hold', command.holdId, nowMs)
  for (const { lotId, points } of draws) {
    moveLot(draft, posting, { lotId, purpose: 'hold', available: -points, held: points })
  }
  closePosting(draft, posting)
  const { holdId, reference, points, expiresAtMs, isDonation = false } = command
  const state = { state: 'open', committed: 0n } as const
  putHold(draft, { holdId, reference, points, createdAtMs: nowMs, expiresAtMs, ...state, draws, isDonation })
  return undefined
}

/** Finds a hold that can still be used, or a donation that can still be undone: neither is taken for the other. */
export function openHold(draft: Draft, holdId: string, isDonation = false): Hold | Refusal {
  const hold = draft.holds.get(holdId)
  if (hold === undefined || hold.isDonation !== isDonation) return { ok: false, reason: 'hold_not_found' }
  if (hold.state === 'expired') return { ok: false, reason: 'hold_expired' }
  if (hold.state !== 'open') return { ok: false, reason: 'hold_resolved' }
  return hold
}

/**
 * Uses up to all of a hold, in its order of consumption, and gives the rest back to the lots it came from.
 * Answers what was drawn.
 */
export function captureHold(
  draft: Draft,
  hold: Hold,
  points: bigint,
  cause: {
    readonly kind: 'spend' | 'commit'
    readonly id: string
    readonly occurredAtMs: number
    readonly nowMs: number
  },
): readonly Draw[] {
  const posting = openPosting(cause.kind, cause.id, cause.occurredAtMs)
  const spent: Draw[] = []
  let open = points
  for (const draw of hold.draws) {
    const used = smaller(draw.points, open)
    if (used > 0n) {
      moveLot(draft, posting, { lotId: draw.lotId, purpose: 'spend', held: -used })
      spent.push({ lotId: draw.lotId, points: used })
    }
    if (used < draw.points) releaseDraw(draft, posting, draw.lotId, draw.points - used)
    open -= used
  }
  addSide(posting, 'redeemed', points)
  closePosting(draft, posting)
  putHold(draft, { ...hold, state: points > 0n ? 'committed' : 'cancelled', committed: points })
  expireLots(draft, cause.nowMs, cause.nowMs)
  return spent
}

/** Captures a hold by itself. */
export function applyCommit(draft: Draft, command: CommitCommand, nowMs: number): Refusal | undefined {
  const hold = openHold(draft, command.holdId)
  if ('ok' in hold) return hold
  if (command.points > hold.points) return { ok: false, reason: 'points_exceed_hold', points: hold.points }
  captureHold(draft, hold, command.points, { kind: 'commit', id: hold.holdId, occurredAtMs: nowMs, nowMs })
  return undefined
}

/** Gives an open hold up. */
export function applyCancel(draft: Draft, command: CancelCommand, nowMs: number): Refusal | undefined {
  const hold = openHold(draft, command.holdId, command.isDonation)
  if ('ok' in hold) return hold
  cancelHold(draft, hold, nowMs, 'cancelled')
  return undefined
}
