import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialDelayMs, isAmple, isStarved, type Load, wantedConnections } from './scale.ts'

const quiet: Load = {
  wanted: 2,
  ready: 2,
  connectionsMin: 0,
  connectionsMax: 8,
  queued: 0,
  free: 2_000,
  live: 0,
  streamLimit: 1_000,
  starvedLooks: 0,
  amplyMs: 0,
  shrinkMs: 600_000,
}
const starved: Load = { ...quiet, queued: 5_000, free: 0, live: 2_000, starvedLooks: 2 }

const cases: readonly (readonly [name: string, load: Load, wanted: number])[] = [
  ['nothing to do keeps what there is', quiet, 2],
  ['nothing to do and nothing there stays so', { ...quiet, wanted: 0, ready: 0 }, 0],
  ['the first request wants one', { ...quiet, wanted: 0, ready: 0, queued: 1 }, 1],
  ['the minimum is kept without work', { ...quiet, wanted: 0, ready: 0, connectionsMin: 3 }, 3],
  ['requests that keep waiting want one more', starved, 3],
  ['one starved look may be chance', { ...starved, starvedLooks: 1 }, 2],
  ['many connections grow by half', { ...starved, wanted: 4, ready: 4 }, 6],
  ['the maximum holds', { ...starved, wanted: 7, ready: 7 }, 8],
  ['those wanted before come first', { ...starved, wanted: 4, ready: 2 }, 4],
  ['ten ample minutes close one', { ...quiet, amplyMs: 600_000 }, 1],
  ['not yet', { ...quiet, amplyMs: 599_999 }, 2],
  ['the last one stays', { ...quiet, wanted: 1, ready: 1, amplyMs: 600_000 }, 1],
  ['the minimum stays', { ...quiet, connectionsMin: 2, amplyMs: 600_000 }, 2],
]

for (const [name, load, wanted] of cases) test(name, () => assert.equal(wantedConnections(load), wanted))

test('a pool starves when requests wait and no stream is free', () => {
  assert.equal(isStarved(starved), true)
  assert.equal(isStarved({ ...starved, free: 1 }), false)
  assert.equal(isStarved({ ...starved, ready: 0 }), false)
})

test('one fewer is enough when the rest would be filled by less than half', () => {
  assert.equal(isAmple({ ...quiet, live: 499 }), true)
  assert.equal(isAmple({ ...quiet, live: 500 }), false)
  assert.equal(isAmple({ ...quiet, ready: 1 }), false)
})

test('dials back off from the base to the maximum, spread over the upper half', () => {
  assert.deepEqual(
    [1, 2, 3, 7, 40].map((failures) => dialDelayMs(failures, 1_000, 60_000, 1)),
    [1_000, 2_000, 4_000, 60_000, 60_000],
  )
  assert.equal(dialDelayMs(1, 1_000, 60_000, 0), 500)
})
