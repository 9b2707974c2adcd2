import type { Handlers } from '@stampede/platform'
import type { TierServiceService } from '@stampede/proto/tiers/v1'
import type { LedgerContext } from '../../context.ts'
import { getTier } from './get-tier.ts'
import { setTier } from './set-tier.ts'
import { simulateLadderOf } from './simulate-ladder.ts'

/** All methods about tiers over one context. */
export function tierHandlers(context: LedgerContext): Handlers<typeof TierServiceService> {
  return {
    getTier: (request) => getTier(context, request),
    setTier: (request, call) => setTier(context, request, call),
    simulateLadder: (request) => simulateLadderOf(context, request),
  }
}
