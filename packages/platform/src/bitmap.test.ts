import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bitmapBytes, countBits, hasBit, passesPerRow, withBits, withoutBits } from './bitmap.ts'

test('bits that are set are there, counted, and gone when cleared', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: passesPerRow - 1 }), { maxLength: 300 }), (indexes) => {
      const bitmap = withBits(new Uint8Array(bitmapBytes), indexes)
      assert.equal(countBits(bitmap), indexes.length)
      assert.ok(indexes.every((index) => hasBit(bitmap, index)))
      assert.equal(countBits(withoutBits(bitmap, indexes)), 0)
    }),
  )
})

test('the least significant bit comes first', () => {
  assert.deepEqual([...withBits(new Uint8Array(2), [0, 9])], [1, 2])
})

test('changing bits leaves the original as it was', () => {
  const original = Buffer.from([1, 0])
  withBits(original, [3])
  withoutBits(original, [0])
  assert.deepEqual([...original], [1, 0])
})

test('a bit beyond the end is not set', () => {
  assert.equal(hasBit(Buffer.from([255]), 8), false)
})
