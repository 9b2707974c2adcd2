import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countBits, hasBit, withBits, withoutBits } from './bitmap.ts'

test('bits that are set are there, counted, and gone when cleared', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 8_191 }), { maxLength: 300 }), (indexes) => {
      const bitmap = withBits(new Uint8Array(1_024), indexes)
      assert.equal(countBits(bitmap), indexes.length)
      assert.ok(indexes.every((index) => hasBit(bitmap, index)))
      assert.equal(countBits(withoutBits(bitmap, indexes)), 0)
    }),
  )
})

test('the least significant bit comes first', () => {
  assert.deepEqual([...withBits(new Uint8Array(2), [0, 9])], [1, 2])
})
