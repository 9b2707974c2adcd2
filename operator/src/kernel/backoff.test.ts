import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { backoffMs } from './backoff.ts'

const options = { firstMs: 1_000, capMs: 60_000 }

test('waits double from the first to the cap', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8].map((failures) => backoffMs(options, failures, 0))
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
})

test('a wait never exceeds the cap, never shrinks with more failures, and chance takes a fifth at most', () => {
  const failures = fc.integer({ min: 1, max: 1_000_000 })
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(failures, random, (count, chance) => {
      const full = backoffMs(options, count, 0)
      const wait = backoffMs(options, count, chance)
      assert.ok(full <= options.capMs && wait <= full && wait >= full * 0.8)
      assert.ok(backoffMs(options, count + 1, 0) >= full)
    }),
  )
})
