import { Explanations } from '@stampede/proto/ledger/v1'
import type { DiscountStep } from './domain/discounts/basket.ts'
import type { DiscountOutcome } from './domain/discounts/rules.ts'
import type { EarnOutcome, Explanation } from './domain/earn.ts'

/** How a sale's points and discounts came about. */
export interface Explained {
  readonly explanations: readonly Explanation[]
  readonly discounts: readonly DiscountStep[]
}

/** Explanations as they are stored; null where there is nothing but the base to tell. */
export function encodeExplanations(
  explanations: readonly Explanation[],
  discounts: readonly DiscountStep[],
): Buffer | null {
  if (explanations.length <= 1 && discounts.length === 0) return null
  return Buffer.from(Explanations.encode({ explanations: [...explanations], discounts: [...discounts] }).finish())
}

/** What was stored. */
export function decodeExplanations(stored: Buffer | null): Explained {
  if (stored === null) return { explanations: [], discounts: [] }
  const { explanations, discounts } = Explanations.decode(stored)
  return {
    explanations: explanations.map((one) => ({ ...one, outcome: one.outcome as EarnOutcome })),
    discounts: discounts.map((one) => ({ ...one, outcome: one.outcome as DiscountOutcome })),
  }
}
