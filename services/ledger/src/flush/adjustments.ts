import { type BrandInfo, failedPrecondition, notFound, StampedeError } from '@stampede/platform'
import { adjustAnswer, resolveAnswer } from '../answers.ts'
import type { Command } from '../domain/decide.ts'
import { earnedTerm } from '../domain/terms.ts'
import type { Adjustment } from '../store/adjustments.ts'
import { brandIdText, pointsOf } from '../store/keys.ts'
import type { Item, ItemRequest } from './item.ts'
import { type Applied, perform, programmeOf, workingAccount } from './perform.ts'
import type { WorkingSet } from './working-set.ts'

/** Posts a correction by hand, or proposes it where the programme wants a second person. */
export function applyAdjust(
  set: WorkingSet,
  item: Item,
  { points, reason, proposedBy, isByRule }: Extract<ItemRequest, { kind: 'adjust' }>,
  brand: BrandInfo,
): Applied {
  const { adjustLimit } = programmeOf(set, item.brand, set.nowMs)
  const size = points < 0n ? -points : points
  const adjustment: Adjustment = {
    brand: item.brand,
    adjustmentId: set.newId(),
    memberId: item.memberId,
    points,
    reason,
    state: size > adjustLimit && !isByRule ? 'proposed' : 'posted',
    proposedBy,
    proposedAtMs: set.nowMs,
    resolvedBy: null,
    resolvedAtMs: null,
  }
  if (adjustment.state === 'posted') post(set, adjustment, brand, isByRule)
  keep(set, adjustment)
  const { account } = workingAccount(set, pointsOf(item))
  return { response: adjustAnswer(adjustment, account), causeId: adjustment.adjustmentId }
}

/** Posts or rejects a proposed correction; not by whoever proposed it. */
export function applyResolve(
  set: WorkingSet,
  item: Item,
  { adjustmentId, isApproved, resolvedBy }: Extract<ItemRequest, { kind: 'resolve' }>,
  brand: BrandInfo,
): Applied {
  const proposed = set.adjustments.get(brandIdText(item.brand, adjustmentId))
  if (proposed === undefined || proposed.memberId !== item.memberId) throw notFound()
  if (proposed.state !== 'proposed') throw failedPrecondition(`the adjustment is ${proposed.state}`)
  if (proposed.proposedBy === resolvedBy) {
    throw new StampedeError('PERMISSION_DENIED', 'whoever proposed an adjustment cannot resolve it')
  }
  const state = isApproved ? 'posted' : 'rejected'
  const resolved = { ...proposed, state, resolvedBy, resolvedAtMs: set.nowMs } as const
  if (isApproved) post(set, resolved, brand, false)
  keep(set, resolved)
  return { response: resolveAnswer(state, workingAccount(set, pointsOf(item)).account), causeId: adjustmentId }
}

function post(set: WorkingSet, adjustment: Adjustment, brand: BrandInfo, mayMakeDebt: boolean): void {
  const cause = { kind: 'adjust', causeId: adjustment.adjustmentId, eventTimeMs: set.nowMs }
  perform(set, pointsOf(adjustment), commandOf(set, adjustment, brand, mayMakeDebt), cause)
}

function commandOf(
  set: WorkingSet,
  { brand, adjustmentId, points }: Adjustment,
  { timeZone }: BrandInfo,
  mayMakeDebt: boolean,
): Command {
  const common = { occurredAtMs: set.nowMs, against: 'adjusted' } as const
  if (points < 0n) {
    const revoke = { revokeId: adjustmentId, points: -points, grantId: undefined, mayMakeDebt }
    return { kind: 'revoke', ...revoke, ...common }
  }
  const programme = programmeOf(set, brand, set.nowMs)
  const term = earnedTerm({ ...programme, activation: { kind: 'immediate' } }, set.nowMs, timeZone)
  const { funder, repayBasisPoints } = programme
  return { kind: 'grant', grantId: adjustmentId, points, earnedTerm: term, funder, repayBasisPoints, ...common }
}

function keep(set: WorkingSet, adjustment: Adjustment): void {
  const text = brandIdText(adjustment.brand, adjustment.adjustmentId)
  set.adjustments.set(text, adjustment)
  set.changedAdjustments.add(text)
}
