import type { Sql } from '@stampede/platform'
import { evaluateTier, type TierFacts } from '../domain/tiers/evaluate.ts'
import type { QualifyingDay, TierLadder, TierState } from '../domain/tiers/ladder.ts'
import { firstDayLookedAt } from '../domain/tiers/windows.ts'
import { type MemberKey, readMemberDays, readMemberTiers } from './tiers.ts'

/** A member's tier as it is at an instant, whether or not the sweeper has been there. */
export interface TierView {
  readonly facts: TierFacts
  readonly state: TierState
  /** Why a tier was given by hand; empty for one that was reached. */
  readonly reason: string
}

/** What discounts and points go by: the tier now, where the programme has tiers, and what was bought on which day. */
export async function readStanding(
  sql: Sql,
  key: MemberKey,
  ladder: TierLadder | undefined,
  at: { readonly nowMs: number; readonly timeZone: string },
): Promise<{ readonly state: TierState | undefined; readonly days: readonly QualifyingDay[] }> {
  if (ladder !== undefined) {
    const { facts, state } = await readTierView(sql, key, ladder, at)
    return { state, days: facts.days }
  }
  const [found] = await readMemberDays(sql, [key], firstDayLookedAt(at.nowMs))
  return { state: undefined, days: found?.days ?? [] }
}

/** Reads a member's tier. */
export async function readTierView(
  sql: Sql,
  key: MemberKey,
  ladder: TierLadder,
  at: { readonly nowMs: number; readonly timeZone: string },
): Promise<TierView> {
  const [[stored], [days]] = await Promise.all([
    readMemberTiers(sql, [key]),
    readMemberDays(sql, [key], firstDayLookedAt(at.nowMs)),
  ])
  const facts: TierFacts = { ladder, state: stored?.state, days: days?.days ?? [], ...at }
  const { state } = evaluateTier(facts)
  return { facts, state, reason: state.tierId === stored?.state.tierId ? (stored?.reason ?? '') : '' }
}
