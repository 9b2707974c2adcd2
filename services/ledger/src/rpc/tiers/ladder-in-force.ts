import type { LedgerContext } from '../../context.ts'
import { programmeAt } from '../../domain/programme.ts'
import type { TierLadder } from '../../domain/tiers/ladder.ts'

/** The tiers of the brand's programme now; undefined where it has none. */
export async function ladderInForce(context: LedgerContext, brand: string): Promise<TierLadder | undefined> {
  const programmes = await context.programmes.of(context.database, [brand])
  return programmeAt(programmes.get(brand) ?? [], context.clock.nowMs())?.ladder
}
