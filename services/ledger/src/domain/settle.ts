import { compareLots, type Hold, type Lot } from './account.ts'
import {
  addSide,
  closePosting,
  type Draft,
  debtAfter,
  lotOf,
  moveDebt,
  moveLot,
  type OpenPosting,
  openPosting,
  putHold,
} from './draft.ts'
import { smaller } from './shares.ts'

const BASIS = 10_000n

/**
 * Posts what time alone has done up to `nowMs`: pending points become spendable, holds whose deadline has passed give
 * their points back (donations give them away), lots past their end lose what is spendable; at one instant in this order. Every decision starts
 * here, so a late sweeper changes no answer.
 */
export function settle(draft: Draft, nowMs: number): void {
  for (const { atMs, happen } of dueEvents(draft, nowMs)) {
    expireLots(draft, atMs - 1)
    happen()
  }
  expireLots(draft, nowMs)
}

interface DueEvent {
  readonly atMs: number
  readonly rank: number
  readonly id: string
  readonly happen: () => void
}

function dueEvents(draft: Draft, nowMs: number): readonly DueEvent[] {
  const due: DueEvent[] = []
  for (const { lotId, pending, activatesAtMs: atMs } of draft.lots.values()) {
    if (pending === 0n || atMs > nowMs) continue
    due.push({ atMs, rank: 0, id: lotId, happen: () => activateLot(draft, lotId, atMs) })
  }
  for (const hold of draft.holds.values()) {
    const { holdId, state, expiresAtMs: atMs } = hold
    if (state !== 'open' || atMs > nowMs) continue
    due.push({ atMs, rank: 1, id: holdId, happen: () => endHold(draft, hold) })
  }
  return due.sort((left, right) => left.atMs - right.atMs || left.rank - right.rank || (left.id < right.id ? -1 : 1))
}

function endHold(draft: Draft, hold: Hold): void {
  expireLots(draft, hold.expiresAtMs)
  if (hold.isDonation) donateHold(draft, hold)
  else cancelHold(draft, hold, hold.expiresAtMs, 'expired')
}

/** Nobody has undone it: the points are the fund's. */
function donateHold(draft: Draft, hold: Hold): void {
  const posting = openPosting('donate', hold.holdId, hold.expiresAtMs)
  for (const { lotId, points } of hold.draws) moveLot(draft, posting, { lotId, purpose: 'spend', held: -points })
  addSide(posting, 'donated', hold.points)
  closePosting(draft, posting)
  putHold(draft, { ...hold, state: 'committed', committed: hold.points })
}

/** Makes what is pending of a lot spendable; what the member owes is paid out of it. */
export function activateLot(draft: Draft, lotId: string, atMs: number): void {
  const { pending, causeId } = lotOf(draft, lotId)
  const posting = openPosting('activate', causeId, atMs)
  moveLot(draft, posting, { lotId, purpose: 'activate', available: pending, pending: -pending })
  repayFrom(draft, posting, lotId, pending)
  closePosting(draft, posting)
}

/** Pays what the member owes out of newly spendable points, as far as the lot's share for it goes. */
export function repayFrom(draft: Draft, posting: OpenPosting, lotId: string, points: bigint): void {
  const owed = debtAfter(draft, posting)
  const repaid = smaller(owed, (points * lotOf(draft, lotId).repayBasisPoints) / BASIS)
  if (repaid === 0n) return
  moveLot(draft, posting, { lotId, purpose: 'repay', available: -repaid })
  moveDebt(posting, -repaid)
}

/** Resolves an open hold without using it; points of lots that have ended meanwhile expire at that moment. */
export function cancelHold(draft: Draft, hold: Hold, atMs: number, state: 'cancelled' | 'expired'): void {
  const posting = openPosting('cancel', hold.holdId, atMs)
  for (const draw of hold.draws) releaseDraw(draft, posting, draw.lotId, draw.points)
  closePosting(draft, posting)
  putHold(draft, { ...hold, state })
  expireLots(draft, atMs, atMs)
}

/** Gives held points of a lot back to its spendable part. */
export function releaseDraw(draft: Draft, posting: OpenPosting, lotId: string, points: bigint): void {
  moveLot(draft, posting, { lotId, purpose: 'release', available: points, held: -points })
}

/**
 * Posts the end of every lot that has ended by `untilMs`, dated at its end, but not before `notBeforeMs`: what is
 * spendable is breakage, what nobody has activated was never the member's.
 */
export function expireLots(draft: Draft, untilMs: number, notBeforeMs = Number.NEGATIVE_INFINITY): void {
  const ended = [...draft.lots.values()].filter(
    (lot) => (lot.available > 0n || lot.pending > 0n) && lot.expiresAtMs <= untilMs,
  )
  if (ended.length === 0) return
  const byInstant = new Map<number, Lot[]>()
  for (const lot of ended.sort(compareLots)) {
    const instant = Math.max(lot.expiresAtMs, notBeforeMs)
    byInstant.set(instant, [...(byInstant.get(instant) ?? []), lot])
  }
  for (const [instant, lots] of byInstant) {
    const posting = openPosting('expire', '', instant)
    for (const lot of lots) {
      addSide(posting, 'expired', lot.available)
      addSide(posting, 'issued', lot.pending)
      moveLot(draft, posting, {
        lotId: lot.lotId,
        purpose: 'expire',
        available: -lot.available,
        pending: -lot.pending,
      })
      draft.lifetimeEarned -= lot.pending
    }
    closePosting(draft, posting)
  }
}
