import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { backoffMs, retryAfterMs } from './backoff.ts'
import { type FairState, newFairState, pickNext } from './fair-order.ts'
import { depositAttempts, newRetryBudget, withdrawRetries } from './retry-budget.ts'
import { fullBucket, takeUpTo, waitForOneMs } from './token-bucket.ts'

describe('token bucket', () => {
  test('never grants more than burst plus rate times time', () => {
    const steps = fc.array(fc.record({ afterMs: fc.nat(500), want: fc.nat(100) }), { maxLength: 200 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 50 }), steps, (perSecond, burst, all) => {
        const limits = { perSecond, burst }
        let bucket = fullBucket(limits, 0)
        let nowMs = 0
        let granted = 0
        for (const { afterMs, want } of all) {
          nowMs += afterMs
          const taken = takeUpTo(bucket, limits, want, nowMs)
          bucket = taken.bucket
          granted += taken.granted
        }
        assert.ok(granted <= burst + (nowMs * perSecond) / 1_000 + 1e-6)
      }),
    )
  })

  test('says how long to wait for the next token', () => {
    const limits = { perSecond: 10, burst: 1 }
    const { bucket } = takeUpTo(fullBucket(limits, 0), limits, 1, 0)
    assert.equal(waitForOneMs(bucket, limits, 0), 100)
    assert.equal(waitForOneMs(bucket, limits, 100), 0)
  })
})

describe('retry budget', () => {
  test('grants one repetition per ten first attempts once the burst is spent', () => {
    const spent = withdrawRetries(newRetryBudget(0), 5_000, 0)
    assert.equal(spent.granted, 1_000)
    const earned = depositAttempts(spent.bucket, 500, 0)
    assert.equal(withdrawRetries(earned, 5_000, 0).granted, 50)
  })

  test('grants ten per second to a brand that sends nothing else', () => {
    const { bucket } = withdrawRetries(newRetryBudget(0), 1_000, 0)
    assert.equal(withdrawRetries(bucket, 100, 1_000).granted, 10)
  })
})

describe('back-off', () => {
  test('doubles up to its maximum and is spread over the upper half', () => {
    const limits = { baseMs: 1_000, maxMs: 60_000 }
    assert.equal(backoffMs(1, limits, 1), 1_000)
    assert.equal(backoffMs(3, limits, 1), 4_000)
    assert.equal(backoffMs(40, limits, 1), 60_000)
    assert.equal(backoffMs(40, limits, 0), 30_000)
  })

  test('reads Retry-After as seconds and as a date', () => {
    assert.equal(retryAfterMs('2', 0), 2_000)
    assert.equal(retryAfterMs(new Date(10_000).toUTCString(), 4_000), 6_000)
    assert.equal(retryAfterMs('soon', 0), 0)
    assert.equal(retryAfterMs(undefined, 0), 0)
    assert.equal(retryAfterMs('999999999', 0), 3_600_000)
  })
})

describe('fair order', () => {
  test('shares the lane by weight, whatever the sizes of the chunks', () => {
    const brands = [
      { brand: 'a', weight: 10, size: 1_000 },
      { brand: 'b', weight: 30, size: 250 },
      { brand: 'c', weight: 10, size: 37 },
    ]
    const sent = new Map<string, number>()
    let state: FairState = newFairState
    for (let turn = 0; turn < 20_000; turn++) {
      const picked = pickNext(state, brands)
      state = picked.state
      const chosen = brands[picked.index]
      assert.ok(chosen)
      sent.set(chosen.brand, (sent.get(chosen.brand) ?? 0) + chosen.size)
    }
    const [a = 0, b = 0, c = 0] = ['a', 'b', 'c'].map((brand) => sent.get(brand))
    assert.ok(Math.abs(b / a - 3) < 0.05, `${b} / ${a}`)
    assert.ok(Math.abs(c / a - 1) < 0.05, `${c} / ${a}`)
  })

  test('gives a brand that was idle no claim to what it did not use', () => {
    let state: FairState = newFairState
    const a = { brand: 'a', weight: 10, size: 100 }
    const b = { brand: 'b', weight: 10, size: 100 }
    for (let turn = 0; turn < 1_000; turn++) state = pickNext(state, [a]).state
    let first = 0
    for (let turn = 0; turn < 100; turn++) {
      const picked = pickNext(state, [a, b])
      state = picked.state
      if (picked.index === 1) first += 1
    }
    assert.ok(first >= 49 && first <= 51, `${first}`)
  })

  test('has nothing to pick from nobody', () => {
    assert.equal(pickNext(newFairState, []).index, -1)
  })
})
