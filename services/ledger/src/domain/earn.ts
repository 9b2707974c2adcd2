import { type EarnEffect, type EarnRule, isOf, type Programme, type SaleLine } from './programme.ts'
import { allocate, sum } from './shares.ts'

/** A line and the money that paid for it. */
export interface EarningLine extends SaleLine {
  readonly moneyMinor: bigint
}

/** Where and when a receipt was made. */
export interface EarnPlace {
  readonly storeId: string
  /** Unix milliseconds. */
  readonly atMs: number
  /** The base so many times, by the member's tier, in hundredths. */
  readonly tierHundredths: bigint
  /** What the receipt carries; undefined: nothing. */
  readonly tags?: ReadonlySet<string>
}

/** Why a rule gave what it gave. */
export type EarnOutcome =
  | 'applied'
  /** No line is of its goods, or none was paid with money. */
  | 'no_goods'
  | 'other_store'
  | 'not_now'
  /** The receipt lacks its tags. */
  | 'not_entitled'
  /** Another rule of its group gave each line more. */
  | 'lesser'

/** A step of the decision, in the order in which it was made. */
export interface Explanation {
  /** `base`, a rule's id, or `limit`: what the receipt's limit took away. */
  readonly ruleId: string
  readonly outcome: EarnOutcome
  /** Rounded down; the receipt is rounded once over all. Negative for a limit. */
  readonly points: bigint
}

/** What a receipt earns. */
export interface Earned {
  /** Per line, in their order. */
  readonly points: readonly bigint[]
  readonly explanations: readonly Explanation[]
}

const BASIS = 10_000n
const HUNDRED = 100n

/**
 * Points of a receipt: the base on the money paid, what rules give on top, the limits, then rounded down once over the
 * whole and shared by largest remainder. Exact: all is counted in parts of a point of one denominator.
 */
export function earn(lines: readonly EarningLine[], programme: Programme, place: EarnPlace): Earned {
  const part = BASIS * HUNDRED * programme.pointValueMinor
  const isOpen = programme.startsAtMs <= place.atMs && place.atMs < programme.earnUntilMs
  const earning = lines.map((line) => isOpen && line.moneyMinor > 0n && !isOf(programme.earnsNothing, line))
  const base = lines.map((line, index) =>
    earning[index] ? line.moneyMinor * programme.earnBasisPoints * place.tierHundredths : 0n,
  )
  const extras = programme.earnRules.map((rule) => ruleExtras(rule, { lines, base, earning, part, place }))
  const chosen = programme.earnRules.map((rule, at) =>
    limited(bestOfGroup(programme.earnRules, extras, at), rule, part),
  )
  const weights = base.map((value, index) => value + sum(chosen.map((extra) => extra[index] ?? 0n)))
  const whole = sum(weights) / part
  const limit = programme.earnLimit
  const earned = limit !== undefined && whole > limit ? limit : whole
  const explanations: Explanation[] = [
    { ruleId: 'base', outcome: isOpen ? 'applied' : 'not_now', points: sum(base) / part },
  ]
  for (const [at, rule] of programme.earnRules.entries()) {
    const points = sum(chosen[at] ?? []) / part
    const outcome = outcomeOf(rule, { chosen: chosen[at] ?? [], offered: extras[at] ?? [], place })
    explanations.push({ ruleId: rule.ruleId, outcome, points })
  }
  if (earned < whole) explanations.push({ ruleId: 'limit', outcome: 'applied', points: earned - whole })
  return { points: allocate(earned, weights), explanations }
}

interface Basis {
  readonly lines: readonly EarningLine[]
  readonly base: readonly bigint[]
  readonly earning: readonly boolean[]
  /** Parts of one point. */
  readonly part: bigint
  readonly place: EarnPlace
}

/** What a rule would give each line if it were alone, in parts of a point. */
function ruleExtras(rule: EarnRule, { lines, base, earning, part, place }: Basis): readonly bigint[] {
  if (!isHere(rule, place) || !isNow(rule, place) || !isEntitled(rule, place)) return lines.map(() => 0n)
  return lines.map((line, index) => {
    const holds = earning[index] === true && (rule.goods === undefined || isOf(rule.goods, line))
    return holds ? extraOf(rule.effect, line, base[index] ?? 0n, part) : 0n
  })
}

function extraOf(effect: EarnEffect, line: EarningLine, base: bigint, part: bigint): bigint {
  switch (effect.kind) {
    case 'times':
      return (base / HUNDRED) * (effect.hundredths - HUNDRED)
    case 'added':
      return line.moneyMinor * effect.basisPoints * HUNDRED
    case 'piece':
      return line.quantity * effect.points * part
  }
}

function isHere({ stores }: EarnRule, { storeId }: EarnPlace): boolean {
  return stores.size === 0 || stores.has(storeId)
}

function isNow({ fromMs, untilMs }: EarnRule, { atMs }: EarnPlace): boolean {
  return fromMs <= atMs && atMs < untilMs
}

function isEntitled({ tags }: EarnRule, place: EarnPlace): boolean {
  return tags === undefined || [...tags].some((tag) => place.tags?.has(tag) === true)
}

/** What a rule gives the lines for which it is the best of its group; the first one of equals. */
function bestOfGroup(
  rules: readonly EarnRule[],
  extras: readonly (readonly bigint[])[],
  at: number,
): readonly bigint[] {
  const group = rules[at]?.group ?? ''
  const own = extras[at] ?? []
  if (group === '') return own
  return own.map((extra, line) => {
    const isBeaten = rules.some((rule, other) => {
      if (other === at || rule.group !== group) return false
      const theirs = extras[other]?.[line] ?? 0n
      return theirs > extra || (theirs === extra && other < at)
    })
    return isBeaten ? 0n : extra
  })
}

function limited(extra: readonly bigint[], { limit }: EarnRule, part: bigint): readonly bigint[] {
  if (limit === undefined || sum(extra) <= limit * part) return extra
  return allocate(limit * part, extra)
}

function outcomeOf(
  rule: EarnRule,
  given: { readonly chosen: readonly bigint[]; readonly offered: readonly bigint[]; readonly place: EarnPlace },
): EarnOutcome {
  if (!isNow(rule, given.place)) return 'not_now'
  if (!isHere(rule, given.place)) return 'other_store'
  if (!isEntitled(rule, given.place)) return 'not_entitled'
  if (sum(given.chosen) > 0n) return 'applied'
  return sum(given.offered) > 0n ? 'lesser' : 'no_goods'
}
