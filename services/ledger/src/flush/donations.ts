import { donateAnswer, undoAnswer } from '../answers.ts'
import { pointsOf } from '../store/keys.ts'
import type { Item, ItemRequest } from './item.ts'
import { type Applied, perform } from './perform.ts'
import type { WorkingSet } from './working-set.ts'

/** Sets points aside for a fund; the hold's deadline makes it final. */
export function applyDonate(
  set: WorkingSet,
  item: Item,
  { points, fundId, money, version, undoSeconds }: Extract<ItemRequest, { kind: 'donate' }>,
): Applied {
  const donationId = set.newId()
  const expiresAtMs = set.nowMs + undoSeconds * 1_000
  const hold = {
    kind: 'hold',
    holdId: donationId,
    points,
    reference: donationId,
    expiresAtMs,
    isDonation: true,
  } as const
  const cause = { kind: 'hold', causeId: donationId, eventTimeMs: set.nowMs }
  const { decision } = perform(set, pointsOf(item), hold, cause)
  const { brand, memberId } = item
  const at = { donatedAtMs: set.nowMs, undoUntilMs: expiresAtMs }
  set.donations.push({ brand, donationId, memberId, fundId, version, points, ...money, ...at })
  return { response: donateAnswer(donationId, money, expiresAtMs, decision.account), causeId: donationId }
}

/** Gives the points of a donation back. */
export function applyUndo(
  set: WorkingSet,
  item: Item,
  { donationId }: Extract<ItemRequest, { kind: 'undo' }>,
): Applied {
  const undo = { kind: 'cancel', holdId: donationId, isDonation: true } as const
  const { decision } = perform(set, pointsOf(item), undo, {
    kind: 'cancel',
    causeId: donationId,
    eventTimeMs: set.nowMs,
  })
  return { response: undoAnswer(decision.account), causeId: donationId }
}
