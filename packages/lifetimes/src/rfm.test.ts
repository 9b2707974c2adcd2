import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  isChurning,
  isSegmentName,
  type Purchases,
  quantileThresholds,
  rfmScore,
  rfmThresholds,
  type Score,
  scoreFalling,
  scoreRising,
  segmentGrid,
  segmentNames,
  segmentOf,
} from './index.ts'

const buyer: fc.Arbitrary<Purchases> = fc.record({
  recencyDays: fc.integer({ min: 0, max: 400 }),
  // Few distinct values, as in life: ties are what scoring by rank gets wrong.
  frequency: fc.integer({ min: 1, max: 6 }),
  monetary: fc.integer({ min: -1_000, max: 100_000 }),
})
const brand = fc.array(buyer, { minLength: 1, maxLength: 60 })

describe('thresholds', () => {
  it('are interpolated like type 7 of R', () => {
    assert.deepEqual(quantileThresholds([1, 2, 3, 4, 5, 6]), [2, 3, 4, 5])
    assert.deepEqual(quantileThresholds([40, 10, 30, 20]), [16, 22, 28, 34])
  })

  it('of one value are that value', () => {
    assert.deepEqual(quantileThresholds([7]), [7, 7, 7, 7])
  })

  it('are never beside a value that they fall on', () => {
    for (let count = 1; count < 2_000; count += 5) {
      const values = Array.from({ length: count }, (_, index) => index)
      const fifth = (count - 1) / 5
      assert.deepEqual(quantileThresholds(values), [fifth, 2 * fifth, 3 * fifth, 4 * fifth])
    }
  })

  it('of nothing, or of what is no number, are refused', () => {
    assert.throws(() => quantileThresholds([]), RangeError)
    assert.throws(() => quantileThresholds([1, Number.NaN]), /value 1 is not a finite number/)
  })

  it('do not depend on the order of the members', () => {
    fc.assert(
      fc.property(brand, (buyers) => {
        assert.deepEqual(rfmThresholds(buyers.toReversed()), rfmThresholds(buyers))
      }),
    )
  })
})

describe('scores', () => {
  it('count the thresholds below the value', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5].map((value) => scoreRising(value, [1, 2, 3, 4])),
      [1, 2, 3, 4, 5],
    )
    assert.deepEqual(
      [1, 2, 3, 4, 5].map((value) => scoreFalling(value, [1, 2, 3, 4])),
      [5, 4, 3, 2, 1],
    )
  })

  it('of equal members are equal', () => {
    fc.assert(
      fc.property(brand, buyer, (buyers, one) => {
        const thresholds = rfmThresholds([...buyers, one, { ...one }])
        assert.deepEqual(rfmScore({ ...one }, thresholds), rfmScore(one, thresholds))
      }),
    )
  })

  it('of a better member are never lower', () => {
    fc.assert(
      fc.property(brand, buyer, buyer, (buyers, a, b) => {
        const thresholds = rfmThresholds([...buyers, a, b])
        const [scoreA, scoreB] = [rfmScore(a, thresholds), rfmScore(b, thresholds)]
        if (a.recencyDays <= b.recencyDays) assert.ok(scoreA.r >= scoreB.r)
        if (a.frequency >= b.frequency) assert.ok(scoreA.f >= scoreB.f)
        if (a.monetary >= b.monetary) assert.ok(scoreA.m >= scoreB.m)
      }),
    )
  })
})

describe('segments', () => {
  it('cover the grid without gap and without an unknown name', () => {
    const names = segmentGrid.flat()
    assert.equal(names.length, 25)
    assert.deepEqual(new Set([...names, 'prospects']), new Set(segmentNames))
  })

  it('are read by R and F', () => {
    const corners: readonly (readonly [Score, Score, string])[] = [
      [5, 5, 'champions'],
      [5, 1, 'new'],
      [1, 5, 'cannot_lose'],
      [1, 1, 'hibernating'],
      [4, 1, 'promising'],
      [3, 3, 'need_attention'],
      [4, 4, 'loyal'],
    ]
    for (const [r, f, segment] of corners) assert.equal(segmentOf(r, f), segment)
  })

  it('are told from other texts', () => {
    assert.ok(isSegmentName('prospects'))
    assert.ok(!isSegmentName('constructor'))
  })
})

describe('the churn flag', () => {
  it('needs a silence beyond twice the own gap and beyond the brand', () => {
    const monthly = { frequency: 4, spanDays: 90 }
    assert.equal(isChurning({ ...monthly, recencyDays: 60 }, 40), false)
    assert.equal(isChurning({ ...monthly, recencyDays: 61 }, 40), true)
    assert.equal(isChurning({ ...monthly, recencyDays: 61 }, 61), false)
  })

  it('takes twice the median of the brand where there is no gap', () => {
    const once = { frequency: 1, spanDays: 0 }
    assert.equal(isChurning({ ...once, recencyDays: 80 }, 40), false)
    assert.equal(isChurning({ ...once, recencyDays: 81 }, 40), true)
  })
})
