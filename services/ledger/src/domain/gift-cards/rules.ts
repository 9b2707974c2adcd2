import { endOfLife } from '../calendar.ts'

/** How a programme's gift cards are. */
export interface GiftCardRules {
  /** Values that cards are issued with, minor units. */
  readonly valuesMinor: readonly bigint[]
  /** Days that a card lives after the day on which it was activated or reloaded; 0: for ever. */
  readonly liveDays: number
  /** Whether cards have a PIN that is shown with the code. */
  readonly hasPin: boolean
  /** Most money on a card after a reload, minor units; 0: cards are not reloaded. */
  readonly reloadMostMinor: bigint
}

/** Days that money lives which comes back to a card that has expired. */
const GRACE_DAYS = 14

/** First instant at which a card that is activated or reloaded now is unusable; infinite: never. */
export function cardEnd({ liveDays }: GiftCardRules, nowMs: number, timeZone: string): number {
  return liveDays === 0 ? Number.POSITIVE_INFINITY : endOfLife(nowMs, liveDays, timeZone)
}

/** Where money lives on that comes back to an expired card. */
export function cardGraceEnd(nowMs: number, timeZone: string): number {
  return endOfLife(nowMs, GRACE_DAYS, timeZone)
}
