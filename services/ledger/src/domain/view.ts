import { type Account, compareLots } from './account.ts'
import { draftAccount, openDraft } from './draft.ts'
import { settle } from './settle.ts'

/** Most instants in a balance's schedule of expiry. */
const MAX_EXPIRIES = 12

/** Points that expire at one instant. */
export interface ExpiryStep {
  readonly expiresAtMs: number
  readonly points: bigint
}

/** What an account shows at an instant, whether or not the sweeper has been there: its version stays the stored one. */
export function viewAt(account: Account, nowMs: number): Account {
  const draft = openDraft(account, () => '')
  settle(draft, nowMs)
  return { ...draftAccount(draft), version: account.version }
}

/** When spendable points end, soonest first; those that never end are left out. */
export function expirySchedule(account: Account): readonly ExpiryStep[] {
  const byInstant = new Map<number, bigint>()
  for (const lot of [...account.lots.values()].filter((candidate) => candidate.available > 0n).sort(compareLots)) {
    if (!Number.isFinite(lot.expiresAtMs)) continue
    byInstant.set(lot.expiresAtMs, (byInstant.get(lot.expiresAtMs) ?? 0n) + lot.available)
  }
  return [...byInstant].slice(0, MAX_EXPIRIES).map(([expiresAtMs, points]) => ({ expiresAtMs, points }))
}
