/** What is paid for what, as stored with its version. */
export interface SubscriptionPlan {
  readonly planId: string
  readonly version: number
  /** Unix milliseconds. */
  readonly publishedAtMs: number
  readonly priceMinor: bigint
  readonly termMonths: number
  readonly trialDays: number
  readonly graceDays: number
  readonly tags: readonly string[]
  /** Whether who ends it at once gets the days back that have not begun. */
  readonly refundsDays: boolean
  readonly noticeDays: number
}

const DAY_MS = 86_400_000

/**
 * The version by which a term is paid: the newest of when the member subscribed, or one whose notice is over when the
 * term begins. Versions are oldest first, at least one.
 */
export function planForTerm(
  versions: readonly SubscriptionPlan[],
  { startedAtMs, termFromMs }: { readonly startedAtMs: number; readonly termFromMs: number },
): SubscriptionPlan | undefined {
  return versions.findLast(
    ({ publishedAtMs, noticeDays }) =>
      publishedAtMs <= startedAtMs || publishedAtMs + noticeDays * DAY_MS <= termFromMs,
  )
}
