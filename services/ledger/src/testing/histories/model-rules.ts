import { CouponCampaign } from '@stampede/proto/coupons/v1'
import { Programme } from '@stampede/proto/programmes/v1'
import fc from 'fast-check'

/** When histories begin: three weeks before the end of a year and four months before clocks change. */
export const START_MS = Date.parse('2026-12-10T12:00:00Z')
const DAY_MS = 86_400_000

/** A programme as the model reads it. */
export interface ModelRules {
  readonly earnBasisPoints: bigint
  readonly life: {
    readonly unit: 'days' | 'months' | 'unlimited'
    readonly count: number
    readonly toMonthEnd: boolean
  }
  readonly isSliding: boolean
  /** Days until points are active; `timeout`: until somebody says so, in at most so many days. */
  readonly activation: { readonly delay: number } | { readonly timeout: number } | undefined
  readonly returnPolicy: 'unlimited' | 'within_balance' | 'only_pending'
  readonly restore: { readonly days: number } | 'original_expiry' | 'new_term'
  readonly repayBasisPoints: bigint
  readonly debtLimit: bigint | undefined
  readonly maxPayBasisPoints: bigint
  readonly pointValue: bigint
  readonly payStep: bigint
  readonly earnLimit: bigint | undefined
  /** Bakery earns 2.5 times up to 60 points, an egg 2 points more, tobacco nothing, and points do not pay it. */
  readonly hasGoods: boolean
  /** Nothing is earned or spent from then on. */
  readonly endsAtMs: number | undefined
  readonly transferLimit: bigint
  readonly adjustLimit: bigint
  readonly tiers: ModelTiers | undefined
}

/** Tiers as the model reads them. */
export interface ModelTiers {
  readonly metric: 'spend' | 'points' | 'visits'
  /** 0: the calendar year; otherwise the last so many months, held for as many. */
  readonly months: number
  readonly upgrade: 'immediate' | 'next_window'
  readonly downgrade: 'one_step' | 'reassess' | 'never'
  readonly steps: readonly { readonly threshold: bigint; readonly hundredths: bigint; readonly entryPoints: bigint }[]
}

/** A coupon campaign as the model reads it. */
export interface ModelCampaign {
  readonly effect: { readonly basisPoints: bigint } | { readonly minor: bigint }
  readonly isBakeryOnly: boolean
  readonly leastReceipt: bigint
  readonly usesPerCode: bigint
  readonly usesPerMember: bigint | undefined
  readonly budgetUses: bigint | undefined
  readonly budgetMoney: bigint | undefined
  readonly storeDayUses: bigint | undefined
  readonly validDays: number
  readonly untilMs: number | undefined
  /** Whose its codes are; undefined: a bearer's. */
  readonly owner: number | undefined
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

const tiers: fc.Arbitrary<ModelTiers> = fc
  .record({
    metric: fc.constantFrom('spend' as const, 'points' as const, 'visits' as const),
    months: fc.constantFrom(0, 0, 1, 2),
    upgrade: fc.constantFrom('immediate' as const, 'immediate' as const, 'next_window' as const),
    downgrade: fc.constantFrom('one_step' as const, 'reassess' as const, 'never' as const),
    entry: fc.constantFrom(0n, 0n, 25n),
  })
  .map(({ entry, ...rest }) => {
    const unit = rest.metric === 'spend' ? 9_000n : rest.metric === 'points' ? 300n : 2n
    const steps = [
      { threshold: unit, hundredths: 100n, entryPoints: 0n },
      { threshold: 2n * unit, hundredths: 150n, entryPoints: entry },
      { threshold: 4n * unit, hundredths: 333n, entryPoints: entry },
    ]
    return { ...rest, steps }
  })

/** Programmes. */
export const modelRules: fc.Arbitrary<ModelRules> = fc
  .record({
    earnBasisPoints: fc.constantFrom(700n, 333n, 10_000n),
    life: fc.oneof(
      fc.record({
        unit: fc.constant('days' as const),
        count: fc.integer({ min: 1, max: 20 }),
        toMonthEnd: fc.boolean(),
      }),
      fc.record({
        unit: fc.constant('months' as const),
        count: fc.integer({ min: 1, max: 3 }),
        toMonthEnd: fc.boolean(),
      }),
      fc.constant({ unit: 'unlimited' as const, count: 0, toMonthEnd: false }),
    ),
    isSliding: fc.boolean(),
    activation: fc.oneof(
      fc.constant(undefined),
      fc.record({ delay: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ timeout: fc.integer({ min: 1, max: 6 }) }),
    ),
    returnPolicy: fc.constantFrom(
      'unlimited' as const,
      'unlimited' as const,
      'within_balance' as const,
      'only_pending' as const,
    ),
    restore: fc.oneof(
      fc.record({ days: fc.integer({ min: 1, max: 9 }) }),
      fc.constantFrom('original_expiry' as const, 'new_term' as const),
    ),
    repayBasisPoints: fc.constantFrom(10_000n, 10_000n, 5_000n, 1n),
    debtLimit: maybe(fc.bigInt(1n, 300n)),
    maxPayBasisPoints: fc.constantFrom(10_000n, 6_000n),
    pointValue: fc.constantFrom(1n, 1n, 3n),
    payStep: fc.constantFrom(1n, 1n, 10n),
    earnLimit: maybe(fc.bigInt(20n, 900n)),
    hasGoods: fc.boolean(),
    endsAtMs: fc.constantFrom(undefined, undefined, undefined, START_MS + 40 * DAY_MS, START_MS + 15 * DAY_MS),
    transferLimit: fc.constantFrom(0n, 150n, 1_000n, 1_000n),
    adjustLimit: fc.constantFrom(0n, 200n, 500n),
    tiers: maybe(tiers),
  })
  .map((rules) => ({ ...rules, isSliding: rules.isSliding && rules.life.unit !== 'unlimited' }))

/** Coupon campaigns. */
export const modelCampaign: fc.Arbitrary<ModelCampaign> = fc.record({
  effect: fc.oneof(
    fc.record({ basisPoints: fc.constantFrom(1_000n, 3_333n, 10_000n) }),
    fc.record({ minor: fc.bigInt(1n, 3_000n) }),
  ),
  isBakeryOnly: fc.boolean(),
  leastReceipt: fc.constantFrom(0n, 0n, 2_000n),
  usesPerCode: fc.bigInt(1n, 3n),
  usesPerMember: maybe(fc.bigInt(1n, 2n)),
  budgetUses: maybe(fc.bigInt(1n, 4n)),
  budgetMoney: maybe(fc.bigInt(200n, 5_000n)),
  storeDayUses: maybe(fc.constant(1n)),
  validDays: fc.constantFrom(0, 0, 3, 12),
  untilMs: maybe(fc.integer({ min: 2, max: 40 }).map((days) => START_MS + days * DAY_MS)),
  owner: fc.constantFrom(undefined, undefined, 0, 1),
})

const at = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms))

/** The programme as callers publish it. */
export function programmeMessage(rules: ModelRules): Programme {
  const { life, activation, restore, tiers: ladder } = rules
  const { unit, count } = life
  const term = {
    days: { $case: 'days' as const, value: count },
    months: { $case: 'months' as const, value: count },
    unlimited: { $case: 'unlimited' as const, value: true },
  }[unit]
  const when =
    activation === undefined
      ? undefined
      : 'delay' in activation
        ? { $case: 'delayDays' as const, value: activation.delay }
        : { $case: 'eventTimeoutDays' as const, value: activation.timeout }
  const goods = {
    earnRules: [
      {
        ruleId: 'bread',
        goods: { categories: ['bakery'] },
        limit: 60n,
        effect: { $case: 'timesHundredths' as const, value: 250 },
      },
      { ruleId: 'piece', goods: { skus: ['egg'] }, effect: { $case: 'pointsPerPiece' as const, value: 2n } },
    ],
    earnsNothing: { categories: ['tobacco'] },
    neverPaid: { categories: ['tobacco'] },
  }
  return Programme.fromPartial({
    earnBasisPoints: Number(rules.earnBasisPoints),
    life: { term, roundUpTo: life.toMonthEnd ? 'month' : '', sliding: rules.isSliding },
    ...(when === undefined ? {} : { activation: { when } }),
    returnPolicy: rules.returnPolicy,
    restorePolicy: typeof restore === 'string' ? restore : 'grace',
    restoreDays: typeof restore === 'string' ? 0 : restore.days,
    repayBasisPoints: Number(rules.repayBasisPoints),
    debtLimit: rules.debtLimit ?? 0n,
    maxPayBasisPoints: Number(rules.maxPayBasisPoints),
    pointValueMinor: rules.pointValue,
    payStep: rules.payStep,
    earnLimit: rules.earnLimit ?? 0n,
    earnUntil: at(rules.endsAtMs),
    spendUntil: at(rules.endsAtMs),
    transferLimit: rules.transferLimit,
    adjustLimit: rules.adjustLimit,
    holdSeconds: 7_200,
    ...(rules.hasGoods ? goods : {}),
    ...(ladder === undefined ? {} : { tiers: ladderMessage(ladder) }),
  })
}

function ladderMessage({ metric, months, upgrade, downgrade, steps }: ModelTiers) {
  return {
    metric,
    window: months === 0 ? 'calendar_year' : 'rolling',
    rollingMonths: months,
    holdMonths: months,
    upgrade,
    downgrade,
    tiers: steps.map(({ threshold, hundredths, entryPoints }, rank) => {
      return { tierId: `tier-${rank}`, threshold, earnHundredths: Number(hundredths), entryPoints }
    }),
  }
}

/** The campaign as callers publish it. */
export function campaignMessage(campaignId: string, campaign: ModelCampaign): CouponCampaign {
  const { effect } = campaign
  return CouponCampaign.fromPartial({
    campaignId,
    effect: {
      effect:
        'minor' in effect
          ? { $case: 'amountMinor', value: effect.minor }
          : { $case: 'percentBasisPoints', value: Number(effect.basisPoints) },
    },
    ...(campaign.isBakeryOnly ? { goods: { categories: ['bakery'] } } : {}),
    leastReceiptMinor: campaign.leastReceipt,
    usesPerCode: campaign.usesPerCode,
    usesPerMember: campaign.usesPerMember ?? 0n,
    budgetUses: campaign.budgetUses ?? 0n,
    budgetMoneyMinor: campaign.budgetMoney ?? 0n,
    budgetStoreDayUses: campaign.storeDayUses ?? 0n,
    validDays: campaign.validDays,
    until: at(campaign.untilMs),
  })
}
