import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { randomOf } from '../testing/random.ts'
import { parseQuotaState, type QuotaState, reserveSlots } from './slots.ts'

const spacingMs = 50
const empty: QuotaState = { nextMs: 0, pausedUntilMs: 0 }

describe('slots of a quota', () => {
  test('reservations follow each other without gap or overlap', () => {
    const first = reserveSlots(empty, { nowMs: 1_000, leadMs: 0, count: 4, spacingMs })
    const second = reserveSlots(first.state, { nowMs: 1_010, leadMs: 0, count: 4, spacingMs })
    assert.deepEqual([first.block.firstMs, second.block.firstMs, second.state.nextMs], [1_000, 1_200, 1_400])
  })

  test('what was not used is lost: after a rest there is no burst', () => {
    const { state } = reserveSlots(empty, { nowMs: 1_000, leadMs: 0, count: 4, spacingMs })
    const later = reserveSlots(state, { nowMs: 60_000, leadMs: 5, count: 4, spacingMs })
    assert.deepEqual([later.block.firstMs, later.state.nextMs], [60_005, 60_205])
  })

  test('a state from a clock that is hours ahead does not stop the issuer for hours', () => {
    const state = { nextMs: 3_600_000, pausedUntilMs: 0 }
    assert.equal(reserveSlots(state, { nowMs: 0, leadMs: 0, count: 1, spacingMs }).block.firstMs, 10_000)
  })

  test('what is stored is read with care', () => {
    assert.deepEqual(parseQuotaState(undefined), empty)
    assert.deepEqual(parseQuotaState({ nextMs: 'x', pausedUntilMs: Number.NaN }), empty)
    assert.deepEqual(parseQuotaState({ nextMs: 5, pausedUntilMs: 7, more: 1 }), { nextMs: 5, pausedUntilMs: 7 })
  })

  test('replicas that come, die and are late never send more than the rate in any second', () => {
    const seed = Date.now()
    const random = randomOf(seed)
    const instants: number[] = []
    let state = empty
    // Three replicas: each has a block at a time, which arrives with up to 180 ms of delay, and now and then loses one.
    const freeAtMs = [0, 0, 0]
    for (let nowMs = 0; nowMs < 120_000; nowMs += 1 + Math.floor(random() * 20)) {
      const replica = freeAtMs.findIndex((untilMs) => untilMs <= nowMs && random() < 0.9)
      if (replica === -1) continue
      const count = 1 + Math.floor(random() * 4)
      const reserved = reserveSlots(state, { nowMs, leadMs: random() * 10, count, spacingMs: 1_000 / 16 })
      state = reserved.state
      freeAtMs[replica] = state.nextMs
      if (random() < 0.05) continue
      for (let slot = 0; slot < count; slot++) {
        instants.push(reserved.block.firstMs + (slot * 1_000) / 16 + random() * 180)
      }
    }
    instants.sort((a, b) => a - b)
    const most = Math.max(
      ...instants.map(
        (at, index) => instants.filter((other) => other > at - 1_000).length - (instants.length - 1 - index),
      ),
    )
    assert.ok(most <= 20, `${most} calls within a second, seed ${seed}`)
    assert.ok(instants.length > 120 * 16 * 0.8, `only ${instants.length} calls, seed ${seed}`)
  })
})
