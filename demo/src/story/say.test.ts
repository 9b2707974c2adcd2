import assert from 'node:assert/strict'
import { test } from 'node:test'
import { count, money, percentile } from './say.ts'

test('money is exact beyond what a float holds', () => {
  assert.equal(money(891_140_790n, 'GBP'), '£8,911,407.90')
  assert.equal(money(9_007_199_254_740_993_07n, 'GBP'), '£9,007,199,254,740,993.07')
  assert.equal(money(-5n, 'GBP'), '-£0.05')
  assert.equal(money(-1_205n, 'GBP'), '-£12.05')
})

test('a percentile is a value that was measured', () => {
  assert.equal(percentile([1, 2, 3, 4], 0.5), 2)
  assert.equal(percentile([1, 2, 3, 4], 1), 4)
  assert.equal(percentile([], 0.5), undefined)
})

test('counts are grouped', () => {
  assert.equal(count(1234567n), '1,234,567')
})
