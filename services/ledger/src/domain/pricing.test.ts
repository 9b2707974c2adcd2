import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { undiscounted } from './discounts/basket.ts'
import { maxPointsForLines, priceLines } from './pricing.ts'
import { noRules, type Programme, programmeAt, type SaleLine } from './programme.ts'
import { allocate } from './shares.ts'

const programme: Programme = {
  version: 1,
  effectiveAtMs: Number.NEGATIVE_INFINITY,
  earnBasisPoints: 500n,
  life: { term: { kind: 'days', days: 365 }, roundUpTo: undefined, isSliding: false },
  maxPayBasisPoints: 5_000n,
  pointValueMinor: 1n,
  holdSeconds: 900,
  ...noRules,
}

const place = { storeId: 'store', atMs: 0, tierHundredths: 100n }

function line(amountMinor: bigint): SaleLine {
  return { sku: 'a', quantity: 1n, amountMinor, category: '' }
}

test('parts go to the largest remainders, and to the lower index among equal ones', () => {
  const cases: readonly [bigint, readonly bigint[], readonly bigint[]][] = [
    [4_000n, [6_000n, 3_000n, 0n], [2_667n, 1_333n, 0n]],
    [300n, [3_333n, 1_667n, 1_000n], [167n, 83n, 50n]],
    [1n, [5n, 5n], [1n, 0n]],
    [2n, [1n, 1n, 1n], [1n, 1n, 0n]],
    [0n, [7n, 8n], [0n, 0n]],
    [0n, [0n, 0n], [0n, 0n]],
    [7n, [7n], [7n]],
  ]
  for (const [whole, weights, parts] of cases) assert.deepEqual(allocate(whole, weights), parts)
})

test('the parts of any whole sum to it, each within one of its exact share', () => {
  fc.assert(
    fc.property(
      fc.bigInt(0n, 10n ** 15n),
      fc.array(fc.bigInt(0n, 10n ** 12n), { minLength: 1, maxLength: 30 }),
      (whole, weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0n)
        fc.pre(total > 0n)
        const parts = allocate(whole, weights)
        assert.equal(
          parts.reduce((sum, part) => sum + part, 0n),
          whole,
        )
        for (const [index, weight] of weights.entries()) {
          const floor = (whole * weight) / total
          const part = parts[index] ?? -1n
          assert(part === floor || (part === floor + 1n && weight > 0n))
        }
      },
    ),
  )
})

test('points are earned on the money paid and rounded down once over the receipt', () => {
  // 39 + 39 + 39 = 117 at 5 % is 5.85: rounding each line down would give 3.
  const { lines } = priceLines(undiscounted([line(39n), line(39n), line(39n)]), programme, 0n, place)
  assert.deepEqual(
    lines.map(({ earned }) => earned),
    [2n, 2n, 1n],
  )
  const paidWithPoints = priceLines(undiscounted([line(1_000n)]), programme, 500n, place)
  assert.equal(paidWithPoints.lines[0]?.earned, 25n)
})

test('a point that is worth more than a minor unit earns and pays accordingly', () => {
  const dear = { ...programme, pointValueMinor: 100n }
  assert.equal(priceLines(undiscounted([line(9_999n)]), dear, 0n, place).lines[0]?.earned, 4n)
  assert.equal(maxPointsForLines([line(399n), line(200n)], dear), 2n)
})

test('points never pay more of a line than allowed', () => {
  fc.assert(
    fc.property(
      fc.array(fc.bigInt(0n, 100_000n), { minLength: 1, maxLength: 20 }),
      fc.bigInt(1n, 300n),
      fc.bigInt(0n, 10_000n),
      fc.bigInt(0n, 10_000n),
      (amounts, pointValueMinor, maxPayBasisPoints, share) => {
        const rules = { ...programme, pointValueMinor, maxPayBasisPoints }
        const lines = amounts.map(line)
        const points = (maxPointsForLines(lines, rules) * share) / 10_000n
        const { lines: priced } = priceLines(undiscounted(lines), rules, points, place)
        assert.equal(
          priced.reduce((sum, one) => sum + one.paid, 0n),
          points,
        )
        for (const one of priced) {
          assert(one.paid * pointValueMinor * 10_000n <= one.amountMinor * maxPayBasisPoints)
        }
      },
    ),
  )
})

test('a receipt uses the highest version that was effective when it occurred', () => {
  const versions = [
    programme,
    { ...programme, version: 2, effectiveAtMs: 100 },
    { ...programme, version: 3, effectiveAtMs: 50 },
  ]
  assert.equal(programmeAt(versions, 49)?.version, 1)
  assert.equal(programmeAt(versions, 50)?.version, 3)
  assert.equal(programmeAt(versions, 200)?.version, 3)
  assert.equal(programmeAt([], 200), undefined)
  assert.equal(programmeAt([{ ...programme, effectiveAtMs: 10 }], 9), undefined)
})
