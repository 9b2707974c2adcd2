import { checkUuid, failedPrecondition } from '@stampede/platform'
import type { GetTierRequest, GetTierResponse } from '@stampede/proto/tiers/v1'
import type { LedgerContext } from '../../context.ts'
import { tierProgress } from '../../domain/tiers/progress.ts'
import { readTierView } from '../../store/tier-view.ts'
import { brandOf } from '../checks.ts'
import { ladderInForce } from './ladder-in-force.ts'

/** A member's tier now. */
export async function getTier(context: LedgerContext, request: GetTierRequest): Promise<GetTierResponse> {
  const { brand, timeZone } = brandOf(context, request.brand)
  const memberId = checkUuid(request.memberId, 'member_id')
  const ladder = await ladderInForce(context, brand)
  if (ladder === undefined) throw failedPrecondition('the programme has no tiers')
  const at = { nowMs: context.clock.nowMs(), timeZone }
  const { facts, state, reason } = await readTierView(context.database, { brand, memberId }, ladder, at)
  const { tierId, untilMs, counted, toKeep, nextTierId, toNext, willDowngrade } = tierProgress(facts, state)
  return {
    tierId: tierId ?? '',
    until: Number.isFinite(untilMs) ? new Date(untilMs) : undefined,
    counted,
    toKeep,
    nextTierId: nextTierId ?? '',
    toNext,
    willDowngrade,
    reason,
  }
}
