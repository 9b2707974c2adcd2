import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deliver, orderRefusal, priceOf, type Reward, reserve, type Stock } from './reward.ts'

const mug: Reward = {
  rewardId: 'mug',
  version: 1,
  kind: 'goods',
  points: 900n,
  tierPoints: new Map([['gold', 700n]]),
  surchargeMinor: 0n,
  memberLimit: 3n,
  fromMs: 100,
  untilMs: 200,
  cancelDays: 14,
  partner: '',
  costMinor: 0n,
}
const one: Stock = { free: 1n, reserved: 0n, delivered: 0n }

const refusals = [
  ['before its window', { nowMs: 99, owned: 0n, quantity: 1n }, 'not_offered'],
  ['at its first instant', { nowMs: 100, owned: 0n, quantity: 1n }, undefined],
  ['at the end of its window', { nowMs: 200, owned: 0n, quantity: 1n }, 'not_offered'],
  ['more than a member may have', { nowMs: 150, owned: 3n, quantity: 1n }, 'member_limit'],
  ['the last one a member may have', { nowMs: 150, owned: 2n, quantity: 1n }, undefined],
  ['more than there are', { nowMs: 150, owned: 0n, quantity: 2n }, 'out_of_stock'],
] as const
for (const [about, ask, refusal] of refusals) {
  test(`c21.15: ${about}: ${refusal ?? 'is ordered'}`, () => assert.equal(orderRefusal(mug, one, ask), refusal))
}

test('c21.15: a reward that is not counted is never out of stock', () => {
  const ask = { nowMs: 150, owned: 0n, quantity: 3n }
  assert.equal(orderRefusal(mug, { ...one, free: undefined }, ask), undefined)
})

test('c21.15: the price may differ by tier', () => {
  assert.deepEqual([priceOf(mug, 'gold'), priceOf(mug, 'silver'), priceOf(mug, undefined)], [700n, 900n, 900n])
})

test('c21.15: a piece goes from free to reserved to delivered, and back before that', () => {
  const reserved = reserve(one, 1n)
  assert.deepEqual(reserved, { free: 0n, reserved: 1n, delivered: 0n })
  assert.deepEqual(reserve(reserved, -1n), one)
  assert.deepEqual(deliver(reserved, 1n), { free: 0n, reserved: 0n, delivered: 1n })
})
