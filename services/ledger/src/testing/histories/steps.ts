import fc from 'fast-check'
import type { ModelLine } from './model-prices.ts'
import { modelCampaign, modelRules } from './model-rules.ts'

/** Codes of each campaign of a history. */
export const CODES_EACH = 2

/** One thing that happens in a history; picks are taken modulo what there is. */
export type Step =
  | {
      readonly kind: 'sale'
      readonly who: number
      readonly storeId: string
      readonly lines: readonly ModelLine[]
      readonly agoHours: number
      /** `own`: holds a share of what is there first, and pays with as much of it as points may pay. */
      readonly hold: number | 'own' | undefined
      readonly share: number
      readonly codes: readonly number[]
    }
  | {
      readonly kind: 'hold'
      readonly who: number
      readonly points: bigint
      readonly reference: string
      readonly hours: number
    }
  | { readonly kind: 'resolve'; readonly pick: number; readonly share: number }
  | {
      readonly kind: 'return'
      readonly pick: number
      readonly lines: readonly { readonly line: number; readonly quantity: bigint }[]
    }
  /** All that is left of so many sales, one after the other. */
  | { readonly kind: 'return_all'; readonly pick: number; readonly sales: number }
  | { readonly kind: 'grant'; readonly who: number; readonly event: string; readonly points: bigint }
  | { readonly kind: 'correct'; readonly who: number; readonly event: string; readonly points: bigint }
  | { readonly kind: 'adjust'; readonly who: number; readonly points: bigint; readonly isApproved: boolean }
  | { readonly kind: 'activate'; readonly pick: number }
  | { readonly kind: 'transfer'; readonly who: number; readonly points: bigint }
  | { readonly kind: 'repeat' | 'other_body'; readonly pick: number }
  | { readonly kind: 'nothing' }

const who = fc.nat(1)
const pick = fc.nat(20)
const points = fc.oneof(fc.bigInt(1n, 40n), fc.bigInt(1n, 500n))
const event = fc.constantFrom('birthday', 'survey')
const kind = <K extends string>(name: K) => fc.constant(name)

const line: fc.Arbitrary<ModelLine> = fc.record({
  sku: fc.constantFrom('egg', 'loaf'),
  category: fc.constantFrom('bakery', 'tobacco', ''),
  quantity: fc.bigInt(1n, 4n),
  amountMinor: fc.oneof(fc.bigInt(0n, 50n), fc.bigInt(0n, 9_000n)),
})

const sale: fc.Arbitrary<Step> = fc.record({
  kind: kind('sale'),
  who,
  storeId: fc.constantFrom('s1', 's2'),
  lines: fc.array(line, { minLength: 1, maxLength: 4 }),
  agoHours: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 60 }) },
    { weight: 1, arbitrary: fc.constantFrom(24 * 15, 24 * 40) },
  ),
  hold: fc.oneof(fc.constant(undefined), fc.constant('own' as const), fc.constant('own' as const), pick),
  share: fc.constantFrom(0, 37, 100, 100, 120),
  codes: fc.oneof(fc.constant([]), fc.uniqueArray(fc.nat(2 * CODES_EACH - 1), { maxLength: 3 })),
})

/** Nothing comes first: steps that do not matter shrink to it. */
const step: fc.Arbitrary<Step> = fc.oneof(
  { withCrossShrink: true },
  { weight: 1, arbitrary: fc.record({ kind: kind('nothing') }) },
  { weight: 8, arbitrary: sale },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: kind('hold'),
      who,
      points,
      reference: fc.constantFrom('a', 'b'),
      hours: fc.integer({ min: 1, max: 23 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: kind('resolve'), pick, share: fc.constantFrom(0, 50, 100, 101) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: kind('return'),
      pick,
      lines: fc.array(fc.record({ line: fc.nat(3), quantity: fc.bigInt(1n, 3n) }), { minLength: 1, maxLength: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kind('return_all'), pick, sales: fc.constantFrom(1, 1, 3) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('grant'), who, event, points: fc.constantFrom(50n, 60n) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('correct'), who, event, points: fc.constantFrom(0n, 30n, 90n) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: kind('adjust'),
      who,
      points: fc.oneof(fc.bigInt(1n, 400n), fc.bigInt(-400n, -1n), fc.constantFrom(200n, 201n)),
      isApproved: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kind('activate'), pick }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: kind('transfer'), who, points: fc.oneof(points, fc.constantFrom(150n, 151n)) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('repeat' as const, 'other_body' as const), pick }) },
)

/** Hours between steps: mostly hours, sometimes weeks, so that a year ends and clocks change, and now and then an hour back. */
export const wait: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 50 }) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 24 * 20, 24 * 45) },
)

/** Programmes with two campaigns. */
export const setting = fc.record({ rules: modelRules, campaigns: fc.tuple(modelCampaign, modelCampaign) })

/** So many steps. */
export const stepsOf = (minLength: number, maxLength: number) => fc.array(step, { minLength, maxLength })
