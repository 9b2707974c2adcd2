import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Condition, conditionMessageLengthMax, isTrue, mergeConditions } from './conditions.ts'

const early = new Date('2026-11-27T08:00:00.123Z')
const late = new Date('2026-11-27T09:00:00.456Z')
const ready = { type: 'Ready', status: 'True', reason: 'Issued', message: 'all is well' } as const

test('a new condition carries the generation and the time without its fraction', () => {
  assert.deepEqual(mergeConditions([], [ready], 3, early), [
    { ...ready, observedGeneration: 3, lastTransitionTime: '2026-11-27T08:00:00Z' },
  ])
})

test('the time stays while the status does, and moves when that flips', () => {
  const first = mergeConditions([], [ready], 1, early)
  const same = mergeConditions(first, [{ ...ready, reason: 'Renewed', message: 'again' }], 2, late)
  assert.equal(same[0]?.lastTransitionTime, '2026-11-27T08:00:00Z')
  assert.deepEqual([same[0]?.reason, same[0]?.observedGeneration], ['Renewed', 2])
  const flipped = mergeConditions(same, [{ ...ready, status: 'False' }], 2, late)
  assert.equal(flipped[0]?.lastTransitionTime, '2026-11-27T09:00:00Z')
})

test('a condition of an older generation is not true', () => {
  const conditions = mergeConditions([], [ready], 1, early)
  assert.equal(isTrue(conditions, 'Ready', 1), true)
  assert.equal(isTrue(conditions, 'Ready', 2), false)
  assert.equal(isTrue(conditions, 'Issuing', 1), false)
})

test('a message is cut to what the API takes', () => {
  const [condition] = mergeConditions([], [{ ...ready, message: 'x'.repeat(40_000) }], 1, early)
  assert.equal(condition?.message.length, conditionMessageLengthMax)
})

const change = fc.record({
  type: fc.constantFrom('Ready', 'Issuing', 'Deleting'),
  status: fc.constantFrom('True' as const, 'False' as const, 'Unknown' as const),
  reason: fc.constantFrom('A', 'B'),
  message: fc.string(),
})

test('whatever is merged: one condition per type, none is lost, and the same changes again change nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.array(change), { maxLength: 6 }), (rounds) => {
      let conditions: readonly Condition[] = []
      for (const [index, changes] of rounds.entries()) {
        const now = new Date(early.getTime() + index * 60_000)
        const types = new Set([...conditions, ...changes].map(({ type }) => type))
        conditions = mergeConditions(conditions, changes, index, now)
        assert.deepEqual(new Set(conditions.map(({ type }) => type)), types)
        assert.equal(conditions.length, types.size)
      }
      const settled = [...new Map((rounds.at(-1) ?? []).map((one) => [one.type, one])).values()]
      assert.deepEqual(mergeConditions(conditions, settled, rounds.length - 1, late), conditions)
    }),
  )
})
