import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type EarningLine, earn } from './earn.ts'
import { testProgramme } from './fixture.ts'
import { type EarnRule, type Goods, isOf, type Programme } from './programme.ts'
import { sum } from './shares.ts'

const place = { storeId: 'north', atMs: 1_000, tierHundredths: 100n, tags: new Set(['app']) }

function goods(change: Partial<Record<keyof Goods, readonly string[]>>): Goods {
  return { skus: new Set(change.skus), categories: new Set(change.categories) }
}

function line(moneyMinor: bigint, category = 'food', more: Partial<EarningLine> = {}): EarningLine {
  return { sku: category, quantity: 1n, amountMinor: moneyMinor, category, moneyMinor, ...more }
}

function rule(ruleId: string, change: Partial<EarnRule> = {}): EarnRule {
  return {
    ruleId,
    goods: undefined,
    stores: new Set(),
    fromMs: Number.NEGATIVE_INFINITY,
    untilMs: Number.POSITIVE_INFINITY,
    effect: { kind: 'times', hundredths: 200n },
    limit: undefined,
    group: '',
    ...change,
  }
}

interface Case {
  readonly programme?: Partial<Programme>
  readonly lines: readonly EarningLine[]
  readonly points: readonly bigint[]
  /** Rule, outcome and points, the base left out. */
  readonly told?: readonly (readonly [string, string, bigint])[]
}

const tenPercent = { earnBasisPoints: 1_000n }
const bakery = goods({ categories: ['bakery'] })

const cases: Readonly<Record<string, Case>> = {
  'ten percent over two lines: 500 = 300 + 200': {
    programme: tenPercent,
    lines: [line(3_000n), line(2_000n)],
    points: [300n, 200n],
  },
  'ten of money are a point: 1,999 earn 199': { programme: tenPercent, lines: [line(1_999n)], points: [199n] },
  'less than a point is no point': { programme: tenPercent, lines: [line(9n)], points: [0n] },
  'what points paid for earns nothing': {
    programme: tenPercent,
    lines: [line(0n, 'food', { amountMinor: 500n }), line(1_000n)],
    points: [0n, 100n],
  },
  'goods that earn nothing earn nothing by a rule either': {
    programme: { ...tenPercent, earnsNothing: goods({ categories: ['tobacco'] }), earnRules: [rule('double')] },
    lines: [line(1_000n, 'tobacco'), line(1_000n)],
    points: [0n, 200n],
    told: [['double', 'applied', 100n]],
  },
  'a rule doubles its goods only': {
    programme: { ...tenPercent, earnRules: [rule('bread', { goods: bakery })] },
    lines: [line(1_000n, 'bakery'), line(1_000n)],
    points: [200n, 100n],
    told: [['bread', 'applied', 100n]],
  },
  'a rule with tags holds only for receipts that carry one of them': {
    programme: {
      ...tenPercent,
      earnRules: [rule('plus', { tags: new Set(['plus']) }), rule('app', { tags: new Set(['web', 'app']) })],
    },
    lines: [line(1_000n)],
    points: [200n],
    told: [
      ['plus', 'not_entitled', 0n],
      ['app', 'applied', 100n],
    ],
  },
  'extras of different groups add up: twice and three times are four times': {
    programme: {
      ...tenPercent,
      earnRules: [rule('two'), rule('three', { effect: { kind: 'times', hundredths: 300n } })],
    },
    lines: [line(1_000n)],
    points: [400n],
    told: [
      ['two', 'applied', 100n],
      ['three', 'applied', 200n],
    ],
  },
  'of a group a line gets the best, and the first of equals': {
    programme: {
      ...tenPercent,
      earnRules: [
        rule('all', { group: 'week' }),
        rule('bread', { group: 'week', goods: bakery, effect: { kind: 'added', basisPoints: 3_000n } }),
        rule('late', { group: 'week' }),
      ],
    },
    lines: [line(1_000n, 'bakery'), line(1_000n)],
    points: [400n, 200n],
    told: [
      ['all', 'applied', 100n],
      ['bread', 'applied', 300n],
      ['late', 'lesser', 0n],
    ],
  },
  'pieces earn by their number, but not those that points paid for': {
    programme: { ...tenPercent, earnRules: [rule('piece', { effect: { kind: 'piece', points: 5n } })] },
    lines: [line(100n, 'food', { quantity: 3n }), line(0n, 'food', { quantity: 7n })],
    points: [25n, 0n],
    told: [['piece', 'applied', 15n]],
  },
  'a rule gives at most its limit, shared by what it would have given': {
    programme: { ...tenPercent, earnRules: [rule('double', { limit: 100n })] },
    lines: [line(3_000n), line(1_000n)],
    points: [375n, 125n],
    told: [['double', 'applied', 100n]],
  },
  'a receipt earns at most its limit': {
    programme: { ...tenPercent, earnRules: [rule('double')], earnLimit: 500n },
    lines: [line(3_000n), line(1_000n)],
    points: [375n, 125n],
    told: [
      ['double', 'applied', 400n],
      ['limit', 'applied', -300n],
    ],
  },
  'a rule that does not hold says why': {
    programme: {
      ...tenPercent,
      earnRules: [
        rule('south', { stores: new Set(['south']) }),
        rule('later', { fromMs: 1_001 }),
        rule('over', { untilMs: 1_000 }),
        rule('other', { goods: bakery }),
        rule('now', { fromMs: 1_000, untilMs: 1_001, stores: new Set(['north']) }),
      ],
    },
    lines: [line(1_000n)],
    points: [200n],
    told: [
      ['south', 'other_store', 0n],
      ['later', 'not_now', 0n],
      ['over', 'not_now', 0n],
      ['other', 'no_goods', 0n],
      ['now', 'applied', 100n],
    ],
  },
  'the receipt is rounded once: three lines of 5.5 points are 16, not 15': {
    programme: { earnBasisPoints: 500n, earnRules: [rule('tenth', { effect: { kind: 'added', basisPoints: 50n } })] },
    lines: [line(100n), line(100n), line(100n)],
    points: [6n, 5n, 5n],
    told: [['tenth', 'applied', 1n]],
  },
}

describe('a receipt', () => {
  for (const [name, { programme, lines, points, told = [] }] of Object.entries(cases)) {
    it(name, () => {
      const result = earn(lines, { ...testProgramme, ...programme }, place)
      assert.deepEqual(result.points, points)
      assert.deepEqual(
        result.explanations.slice(1).map(({ ruleId, outcome, points }) => [ruleId, outcome, points]),
        told,
      )
    })
  }

  it('never earns more than its parts, whatever the rules, and never less by another rule', () => {
    const effect = fc.oneof(
      fc.record({ kind: fc.constant('times' as const), hundredths: fc.bigInt(101n, 1_000n) }),
      fc.record({ kind: fc.constant('added' as const), basisPoints: fc.bigInt(1n, 10_000n) }),
      fc.record({ kind: fc.constant('piece' as const), points: fc.bigInt(1n, 50n) }),
    )
    const anyRule = fc.record({
      effect,
      goods: fc.option(fc.constant(bakery), { nil: undefined }),
      limit: fc.option(fc.bigInt(0n, 500n), { nil: undefined }),
      group: fc.constantFrom('', 'a', 'b'),
    })
    const anyLine = fc.record({
      moneyMinor: fc.bigInt(0n, 100_000n),
      category: fc.constantFrom('food', 'bakery', 'tobacco'),
      quantity: fc.bigInt(1n, 9n),
    })
    const scenario = fc.record({
      lines: fc.array(anyLine, { minLength: 1, maxLength: 8 }),
      rules: fc.array(anyRule, { maxLength: 6 }),
      more: anyRule,
      pointValueMinor: fc.bigInt(1n, 200n),
    })
    fc.assert(
      fc.property(scenario, ({ lines: drafts, rules, more, pointValueMinor }) => {
        const lines = drafts.map(({ moneyMinor, category, quantity }) => line(moneyMinor, category, { quantity }))
        const earnsNothing = goods({ categories: ['tobacco'] })
        const programme = { ...testProgramme, pointValueMinor, earnsNothing }
        const withRules = (list: readonly Partial<EarnRule>[]) => {
          return earn(lines, { ...programme, earnRules: list.map((one, at) => rule(`r${at}`, one)) }, place)
        }
        const few = withRules(rules)
        const told = sum(few.explanations.map(({ points }) => points))
        const total = sum(few.points)
        // Each explanation is rounded down for itself.
        assert.ok(told <= total && total <= told + BigInt(few.explanations.length))
        for (const [index, points] of few.points.entries()) {
          const one = lines[index]
          assert.ok(one !== undefined && points >= 0n)
          if (isOf(earnsNothing, one) || one.moneyMinor === 0n) assert.equal(points, 0n)
        }
        if (more.limit === undefined) assert.ok(sum(withRules([...rules, { ...more, group: '' }]).points) >= total)
      }),
    )
  })
})
