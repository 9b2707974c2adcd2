import type { BrandInfo } from '@stampede/platform'
import { isOf, type Programme, programmeAt } from '../domain/programme.ts'
import { keptMoney, shareOf } from '../domain/return.ts'
import type { SaleRecord } from '../domain/sale.ts'
import { earnedTerm } from '../domain/terms.ts'
import { evaluateTier, type TierEvaluation, type TierFacts } from '../domain/tiers/evaluate.ts'
import {
  type Qualifying,
  type QualifyingDay,
  rankOf,
  type TierLadder,
  type TierState,
  tierAt,
  tierOf,
} from '../domain/tiers/ladder.ts'
import { eventText } from '../store/event-grants.ts'
import { brandIdText, pointsOf } from '../store/keys.ts'
import type { MemberDays, MemberKey, MemberTier } from '../store/tiers.ts'
import { perform, workingAccount } from './perform.ts'
import type { WorkingSet } from './working-set.ts'

/** Entry rewards remembered per member. */
const REWARDS_KEPT = 20
const PLAIN_HUNDREDTHS = 100n

/** A member's tier in work. */
export interface WorkingTier extends MemberKey {
  state: TierState | undefined
  reason: string
  changes: bigint
  rewards: readonly string[]
  readonly days: Map<string, QualifyingDay>
  readonly touchedDays: Set<string>
  isChanged: boolean
}

/** Puts the tiers of members together. */
export function assembleTiers(
  keys: readonly MemberKey[],
  tiers: readonly MemberTier[],
  days: readonly MemberDays[],
): ReadonlyMap<string, WorkingTier> {
  const tierBy = new Map(tiers.map((tier) => [brandIdText(tier.brand, tier.memberId), tier]))
  const daysBy = new Map(days.map((one) => [brandIdText(one.brand, one.memberId), one.days]))
  return new Map(
    keys.map(({ brand, memberId }) => {
      const text = brandIdText(brand, memberId)
      const stored = tierBy.get(text)
      const working: WorkingTier = {
        brand,
        memberId,
        state: stored?.state,
        reason: stored?.reason ?? '',
        changes: stored?.changes ?? 0n,
        rewards: stored?.rewards ?? [],
        days: new Map((daysBy.get(text) ?? []).map((day) => [day.day, day])),
        touchedDays: new Set(),
        isChanged: false,
      }
      return [text, working] as const
    }),
  )
}

/** The base of a receipt so many times, in hundredths, by the member's tier before it. */
export function tierHundredths(set: WorkingSet, key: MemberKey, occurredAtMs: number, brand: BrandInfo): bigint {
  const found = ladderAndTier(set, key)
  if (found === undefined) return PLAIN_HUNDREDTHS
  settleTier(set, key, brand)
  return tierOf(found.ladder, tierAt(found.tier.state, occurredAtMs))?.earnHundredths ?? PLAIN_HUNDREDTHS
}

/** Counts what a day gained or lost, and looks at the tier again. What ended before now is closed by what was counted before. */
export function countDay(set: WorkingSet, key: MemberKey, day: string, gained: Qualifying, brand: BrandInfo): void {
  const tier = set.tiers.get(brandIdText(key.brand, key.memberId))
  if (tier === undefined) return
  settleTier(set, key, brand)
  const { days, touchedDays } = tier
  const before = days.get(day)
  days.set(day, {
    day,
    spendMinor: (before?.spendMinor ?? 0n) + gained.spendMinor,
    points: (before?.points ?? 0n) + gained.points,
    visits: (before?.visits ?? 0n) + gained.visits,
  })
  touchedDays.add(day)
  change(set, tier)
  settleTier(set, key, brand)
}

/** What a sale, or what is left of it, counts for. */
export function qualifyingOf(sale: SaleRecord, programme: Programme): Qualifying {
  const counted = sale.lines.filter((line) => !isOf(programme.earnsNothing, line))
  const kept = counted.map((line) => keptMoney(line, sale.pointValueMinor))
  return {
    spendMinor: kept.reduce((sum, money) => sum + money, 0n),
    points: sale.lines.reduce((sum, line) => sum + line.earned - shareOf(line, sale.pointValueMinor).earned, 0n),
    visits: sale.lines.some(({ returned, quantity }) => returned < quantity) ? 1n : 0n,
  }
}

/** Brings a member's tier up to now; entry rewards are granted. */
export function settleTier(set: WorkingSet, key: MemberKey, brand: BrandInfo): void {
  const found = ladderAndTier(set, key)
  if (found === undefined) return
  const { ladder, tier } = found
  const evaluation = evaluateTier(factsOf(set, ladder, tier, brand))
  const isNew = tier.state === undefined
  if (!isNew && evaluation.steps.length === 0) return
  const isMoved = tier.state?.tierId !== evaluation.state.tierId
  tier.state = evaluation.state
  if (isMoved) tier.reason = ''
  change(set, tier)
  reward(set, ladder, tier, evaluation, brand)
}

/** Facts of a member for an evaluation now. */
export function factsOf(set: WorkingSet, ladder: TierLadder, tier: WorkingTier, { timeZone }: BrandInfo): TierFacts {
  return { ladder, state: tier.state, days: [...tier.days.values()], nowMs: set.nowMs, timeZone }
}

/** Notes that a tier, or what is counted for it, is to be stored and told. */
export function change(set: WorkingSet, tier: WorkingTier): void {
  tier.isChanged = true
  tier.changes += 1n
  const working = workingAccount(set, pointsOf(tier))
  working.cause ??= { kind: 'tier', causeId: '', deltaAvailable: 0n, eventTimeMs: set.nowMs }
}

/** The programme's ladder and the member's tier; undefined where there are no tiers. */
export function ladderAndTier(
  set: WorkingSet,
  { brand, memberId }: MemberKey,
): { readonly ladder: TierLadder; readonly tier: WorkingTier } | undefined {
  const ladder = programmeAt(set.programmes.get(brand) ?? [], set.nowMs)?.ladder
  const tier = set.tiers.get(brandIdText(brand, memberId))
  return ladder === undefined || tier === undefined ? undefined : { ladder, tier }
}

function reward(
  set: WorkingSet,
  ladder: TierLadder,
  tier: WorkingTier,
  { steps }: TierEvaluation,
  { timeZone }: BrandInfo,
): void {
  for (const { fromTierId, toTierId, span, atMs } of steps) {
    const entered = tierOf(ladder, toTierId)
    if (entered === undefined || entered.entryPoints === 0n) continue
    if (rankOf(ladder, toTierId) <= rankOf(ladder, fromTierId)) continue
    const name = `${entered.tierId}/${span.from}`
    if (tier.rewards.includes(name)) continue
    tier.rewards = [...tier.rewards, name].slice(-REWARDS_KEPT)
    grantEntry(set, tier, { eventKey: `tier/${name}`, points: entered.entryPoints, grantedAtMs: atMs, timeZone })
  }
}

function grantEntry(
  set: WorkingSet,
  { brand, memberId }: WorkingTier,
  given: {
    readonly eventKey: string
    readonly points: bigint
    readonly grantedAtMs: number
    readonly timeZone: string
  },
): void {
  const { eventKey, points, grantedAtMs, timeZone } = given
  const programme = programmeAt(set.programmes.get(brand) ?? [], set.nowMs)
  if (programme === undefined) return
  const grant = { brand, memberId, eventKey, grantId: set.newId(), points, contentHash: Buffer.alloc(0), grantedAtMs }
  const { funder, repayBasisPoints } = programme
  perform(
    set,
    pointsOf(grant),
    {
      kind: 'grant',
      grantId: grant.grantId,
      points,
      occurredAtMs: grantedAtMs,
      earnedTerm: earnedTerm({ ...programme, activation: { kind: 'immediate' } }, set.nowMs, timeZone),
      funder,
      repayBasisPoints,
      against: 'issued',
    },
    { kind: 'grant', causeId: grant.grantId, eventTimeMs: grantedAtMs },
  )
  set.eventGrants.set(eventText(grant), grant)
  set.changedGrants.add(eventText(grant))
}

/** The business day of a receipt, which its id tells. */
export function businessDayOf(receiptId: string): string {
  return new Date(Number.parseInt(receiptId.slice(0, 8) + receiptId.slice(9, 13), 16)).toISOString().slice(0, 10)
}
