import { addMonths, localDay } from '../calendar.ts'
import { smaller } from '../shares.ts'
import type { RecurringRule } from './programme.ts'

const BASIS = 10_000n

/** What the end of a month gives an advocate. */
export interface MonthClose {
  /** Minor units of money, whatever it is given in. */
  readonly rewardMinor: bigint
  /** What the next month begins with: not positive. */
  readonly carryMinor: bigint
}

/** Closes a month: a share of its net money, to the cap; what is below zero is carried, what is above the cap is lost. */
export function closeMonth(
  netMinor: bigint,
  carryMinor: bigint,
  { basisPoints, monthlyCapMinor }: Pick<RecurringRule, 'basisPoints' | 'monthlyCapMinor'>,
): MonthClose {
  const base = netMinor + carryMinor
  if (base <= 0n) return { rewardMinor: 0n, carryMinor: base }
  const share = (base * basisPoints) / BASIS
  return { rewardMinor: monthlyCapMinor === undefined ? share : smaller(share, monthlyCapMinor), carryMinor: 0n }
}

/** Whether a sale of that day is within the term that began with the first purchase. */
export function isInTerm(
  { termMonths }: Pick<RecurringRule, 'termMonths'>,
  purchasedAtMs: number,
  saleDay: string,
  timeZone: string,
): boolean {
  const first = localDay(purchasedAtMs, timeZone)
  return saleDay >= first && saleDay < addMonths(first, termMonths)
}
