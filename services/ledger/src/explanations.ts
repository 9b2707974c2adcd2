import { Explanations } from '@stampede/proto/ledger/v1'
import type { EarnOutcome, Explanation } from './domain/earn.ts'

/** Explanations as they are stored; null where there is nothing but the base to tell. */
export function encodeExplanations(explanations: readonly Explanation[]): Buffer | null {
  if (explanations.length <= 1) return null
  return Buffer.from(Explanations.encode({ explanations: [...explanations] }).finish())
}

/** What was stored. */
export function decodeExplanations(stored: Buffer | null): readonly Explanation[] {
  if (stored === null) return []
  return Explanations.decode(stored).explanations.map(({ ruleId, outcome, points }) => ({
    ruleId,
    outcome: outcome as EarnOutcome,
    points,
  }))
}
