import { type BrandInfo, failedPrecondition, invalidArgument } from '@stampede/platform'
import { tierAnswer } from '../answers.ts'
import { rankOf } from '../domain/tiers/ladder.ts'
import type { Item, ItemRequest } from './item.ts'
import type { Applied } from './perform.ts'
import { change, ladderAndTier, settleTier } from './tiers.ts'
import type { WorkingSet } from './working-set.ts'

/** Gives a tier by hand, or freezes the one that the member has. */
export function applyTier(
  set: WorkingSet,
  item: Item,
  { tierId, untilMs, reason }: Extract<ItemRequest, { kind: 'tier' }>,
  brand: BrandInfo,
): Applied {
  const found = ladderAndTier(set, item)
  if (found === undefined) throw failedPrecondition('the programme has no tiers')
  const { ladder, tier } = found
  if (tierId !== '' && rankOf(ladder, tierId) < 0) throw invalidArgument('tier_id', 'is not a tier of the programme')
  settleTier(set, item, brand)
  const state = tier.state
  if (state === undefined) throw failedPrecondition('the member has no tier to keep')
  const given = tierId === '' ? state.tierId : tierId
  const isMoved = given !== state.tierId
  tier.state = {
    ...state,
    tierId: given,
    previousTierId: isMoved ? state.tierId : state.previousTierId,
    sinceMs: isMoved ? set.nowMs : state.sinceMs,
    pinnedUntilMs: untilMs,
  }
  tier.reason = reason
  change(set, tier)
  return { response: tierAnswer(given ?? ''), causeId: null }
}
