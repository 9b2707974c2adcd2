/** What the plain churn flag looks at. */
export interface Silence {
  /** Whole days from the last purchase to the as-of day. */
  readonly recencyDays: number
  /** Purchase days; 1 or more. */
  readonly frequency: number
  /** Days from the first to the last purchase. */
  readonly spanDays: number
}

/**
 * Plain churn flag. A repeat buyer is churning when silent for longer than twice the own mean gap between purchases
 * and for longer than the brand's median recency; a one-time buyer, having no gap, when silent for longer than twice
 * that median.
 */
export function isChurning(buyer: Silence, medianRecencyDays: number): boolean {
  if (buyer.frequency <= 1) return buyer.recencyDays > 2 * medianRecencyDays
  // Multiplied out: a division could round two equal sides apart.
  const beyondOwnGap = buyer.recencyDays * (buyer.frequency - 1) > 2 * buyer.spanDays
  return beyondOwnGap && buyer.recencyDays > medianRecencyDays
}
