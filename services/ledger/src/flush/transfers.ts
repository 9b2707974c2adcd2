import assert from 'node:assert/strict'
import { failedPrecondition, invalidArgument } from '@stampede/platform'
import { transferAnswer } from '../answers.ts'
import { pointsOf } from '../store/keys.ts'
import type { Item, ItemRequest } from './item.ts'
import { type Applied, perform, programmeOf } from './perform.ts'
import type { WorkingSet } from './working-set.ts'

/** Moves points from one member to another; they keep their term and who bears their cost. */
export function applyTransfer(
  set: WorkingSet,
  item: Item,
  { toMemberId, points }: Extract<ItemRequest, { kind: 'transfer' }>,
): Applied {
  const { transferLimit } = programmeOf(set, item.brand, set.nowMs)
  if (transferLimit === 0n) throw failedPrecondition('the programme has no transfers')
  if (points > transferLimit) throw invalidArgument('points', `must be at most ${transferLimit}`)
  const transferId = set.newId()
  const cause = { kind: 'transfer', causeId: transferId, eventTimeMs: set.nowMs }
  const { decision } = perform(set, pointsOf(item), { kind: 'send', transferId, points }, cause)
  assert(decision.outcome.kind === 'send')
  const to = pointsOf({ brand: item.brand, memberId: toMemberId })
  // Nothing of it can be refused: the sender's side may stand already.
  perform(set, to, { kind: 'receive', transferId, parts: decision.outcome.parts }, cause)
  return { response: transferAnswer(transferId, decision.account), causeId: transferId }
}
