import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { createPermutation, PERMUTATION_SIZE_MAX } from './permutation.ts'

const keyOf = (seed: number) => createHash('sha256').update(String(seed)).digest()

const numbersTo = (size: number) => Array.from({ length: size }, (_, value) => value)

test('every number of a domain is hit exactly once, whatever the size and the key', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3_000 }), fc.nat(), (size, seed) => {
      const permutation = createPermutation(keyOf(seed), size)
      const hit = new Uint8Array(size)
      for (const mapped of permutation.applyAll(numbersTo(size))) {
        assert.ok(mapped >= 0 && mapped < size, `${mapped} is outside of the domain`)
        hit[mapped] = (hit[mapped] ?? 0) + 1
      }
      assert.ok(hit.every((count) => count === 1))
    }),
    { numRuns: 50 },
  )
})

test('a domain of 100,000 under one key is permuted', () => {
  const permutation = createPermutation(keyOf(7), 100_000)
  assert.equal(new Set(permutation.applyAll(numbersTo(100_000))).size, 100_000)
})

test('in the largest domain results stay exact, inside and distinct', () => {
  const permutation = createPermutation(keyOf(1), PERMUTATION_SIZE_MAX)
  const values = [0, 1, 2, PERMUTATION_SIZE_MAX - 1, PERMUTATION_SIZE_MAX / 2]
  const mapped = permutation.applyAll(values)
  for (const one of mapped) assert.ok(Number.isSafeInteger(one) && one >= 0 && one < PERMUTATION_SIZE_MAX)
  assert.equal(new Set(mapped).size, values.length)
})

test('the same key gives the same mapping, another key another one', () => {
  const map = (seed: number) => createPermutation(keyOf(seed), 10 ** 13).applyAll(numbersTo(100))
  assert.deepEqual(map(1), map(1))
  const second = new Set(map(2))
  assert.equal(map(1).filter((value) => second.has(value)).length, 0)
})

test('a number goes to the same place alone and among others', () => {
  const permutation = createPermutation(keyOf(5), 1_000)
  const together = permutation.applyAll(numbersTo(1_000))
  assert.deepEqual(
    numbersTo(1_000).flatMap((value) => permutation.applyAll([value])),
    together,
  )
  assert.deepEqual(permutation.applyAll([]), [])
})

test('neighbours do not give each other away: steps between them spread over the whole domain', () => {
  const size = 10 ** 13
  const permutation = createPermutation(keyOf(3), size)
  const count = 4_000
  const buckets = new Array<number>(16).fill(0)
  let ascending = 0
  const mapped = permutation.applyAll(numbersTo(count + 1))
  for (let value = 0; value < count; value++) {
    const step = (mapped[value + 1] ?? 0) - (mapped[value] ?? 0)
    if (step > 0) ascending++
    const bucket = Math.floor((((step + size) % size) / size) * 16)
    buckets[bucket] = (buckets[bucket] ?? 0) + 1
  }
  // Expected 250 a bucket with a deviation of 15, and 2,000 ascending steps with one of 32: six deviations each.
  for (const bucket of buckets) assert.ok(Math.abs(bucket - 250) < 93, `bucket of ${bucket}`)
  assert.ok(Math.abs(ascending - 2_000) < 190, `${ascending} ascending`)
})

test('numbers outside of the domain and impossible sizes are refused', () => {
  const permutation = createPermutation(keyOf(1), 10)
  for (const value of [-1, 10, 1.5, Number.NaN]) assert.throws(() => permutation.applyAll([value]), RangeError)
  for (const size of [0, -5, 1.5, PERMUTATION_SIZE_MAX + 2])
    assert.throws(() => createPermutation(keyOf(1), size), RangeError)
  assert.throws(() => createPermutation(new Uint8Array(16), 10), RangeError)
})
