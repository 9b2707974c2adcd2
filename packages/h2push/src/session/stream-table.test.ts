import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { StreamTable } from './stream-table.ts'

test('it knows the live streams, whichever end and however many are open', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ open: fc.nat(900), close: fc.nat(1_000) }), { maxLength: 20 }),
      fc.nat(),
      (steps, seed) => {
        const table = new StreamTable()
        const model = new Map<number, number>()
        let random = seed
        for (const { open, close } of steps) {
          for (let count = 0; count < open; count += 1) model.set(table.open(undefined, count, count), count)
          for (const id of [...model.keys()]) {
            random = (random * 1_103_515_245 + 12_345) >>> 0
            if (random % 1_000 >= close) continue
            table.close(table.slotOf(id))
            model.delete(id)
          }
          assert.equal(table.live, model.size)
          for (const [id, index] of model) assert.equal(table.indexes[table.slotOf(id)], index)
        }
        assert.deepEqual(
          table
            .slotsAbove(0)
            .map((slot) => table.ids[slot] as number)
            .sort(),
          [...model.keys()].sort(),
        )
      },
    ),
    { numRuns: 50 },
  )
})

test('a stuck stream is stepped over when its slot comes round again', () => {
  const table = new StreamTable()
  const stuck = table.open(undefined, 7, 0)
  let last = stuck
  for (let count = 0; count < 200_000; count += 1) {
    const id = table.open(undefined, 0, 0)
    assert.ok(id > last)
    last = id
    table.close(table.slotOf(id))
  }
  assert.equal(table.indexes[table.slotOf(stuck)], 7)
  assert.equal(table.live, 1)
  assert.ok(last > 400_000, 'some ids were skipped')
})

test('idle are even ids and those not used yet; 0 is no stream', () => {
  const table = new StreamTable()
  assert.equal(table.open(undefined, 0, 0), 1)
  assert.deepEqual(
    [0, 1, 2, 3].map((id) => table.isIdle(id)),
    [true, false, true, true],
  )
  assert.equal(table.slotOf(0), -1)
})

test('ids run out', () => {
  const table = new StreamTable(9)
  for (let left = 5; left > 0; left -= 1) {
    assert.equal(table.idsLeft, left)
    table.close(table.slotOf(table.open(undefined, 0, 0)))
  }
  assert.equal(table.idsLeft, 0)
})

test('streams are found by the time of their opening', () => {
  const table = new StreamTable()
  for (const atMs of [10, 20, 30]) table.open(undefined, atMs, atMs)
  assert.deepEqual(
    table
      .slotsOpenedBy(20)
      .map((slot) => table.indexes[slot])
      .sort(),
    [10, 20],
  )
})
