import { compareLots, type Hold, type Lot } from './account.ts'
import {
  addSide,
  closePosting,
  type Draft,
  moveLot,
  type OpenPosting,
  openPosting,
  putHold,
  takeDraws,
} from './draft.ts'

/**
 * Posts what time alone has done up to `nowMs`: holds whose deadline has passed give their points back, lots past
 * their end lose what is spendable. Every decision starts here, so a late sweeper changes no answer.
 */
export function settle(draft: Draft, nowMs: number): void {
  const due = [...draft.holds.values()]
    .filter((hold) => hold.state === 'open' && hold.expiresAtMs <= nowMs)
    .sort((left, right) => left.expiresAtMs - right.expiresAtMs || (left.holdId < right.holdId ? -1 : 1))
  for (const hold of due) {
    expireLots(draft, hold.expiresAtMs)
    cancelHold(draft, hold, hold.expiresAtMs, 'expired')
  }
  expireLots(draft, nowMs)
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

/** Posts the breakage of every lot that has ended by `untilMs`, dated at its end, but not before `notBeforeMs`. */
export function expireLots(draft: Draft, untilMs: number, notBeforeMs = Number.NEGATIVE_INFINITY): void {
  const ended = [...draft.lots.values()].filter((lot) => lot.available > 0n && lot.expiresAtMs <= untilMs)
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
      takeDraws(draft, posting, [{ lotId: lot.lotId, points: lot.available }], 'expire')
    }
    closePosting(draft, posting)
  }
}
