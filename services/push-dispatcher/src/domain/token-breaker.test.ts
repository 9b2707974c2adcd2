import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  ANSWERS_MIN,
  atInstant,
  BAD_SHARE_MAX,
  newTokenBreaker,
  PAUSE_FIRST_MS,
  PAUSE_MAX_MS,
  PROBE_MS,
  PROBE_PUSHES,
  recordAnswers,
  roomOf,
  spend,
  type TokenBreaker,
  WINDOW_ANSWERS,
} from './token-breaker.ts'

const opened = recordAnswers(newTokenBreaker, ANSWERS_MIN, ANSWERS_MIN, 0)

describe('token breaker', () => {
  test('opens when most of enough answers are bad, and not before there are enough', () => {
    assert.equal(recordAnswers(newTokenBreaker, ANSWERS_MIN - 1, ANSWERS_MIN - 1, 0).kind, 'closed')
    assert.deepEqual(opened, { kind: 'open', untilMs: PAUSE_FIRST_MS, trips: 1 })
    assert.equal(roomOf(opened), 0)
  })

  test('a share that is not above the threshold never opens it, however the answers are dealt', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1_000 }), { maxLength: 100 }), (batches) => {
        let breaker = newTokenBreaker
        for (const answers of batches) breaker = recordAnswers(breaker, answers, Math.floor(answers * BAD_SHARE_MAX), 0)
        assert.equal(breaker.kind, 'closed')
        assert.equal(roomOf(breaker), Number.POSITIVE_INFINITY)
      }),
    )
  })

  test('good answers of long ago do not hide a list that has gone bad', () => {
    let breaker: TokenBreaker = newTokenBreaker
    for (let batch = 0; batch < 1_000; batch++) breaker = recordAnswers(breaker, 1_000, 0, 0)
    let bad = 0
    while (breaker.kind === 'closed') {
      breaker = recordAnswers(breaker, 100, 100, 0)
      bad += 100
    }
    assert.ok(bad <= WINDOW_ANSWERS * 1.5, `${bad} bad answers until it opened`)
  })

  test('lets a small probe through after the pause and closes when that is good', () => {
    assert.equal(atInstant(opened, PAUSE_FIRST_MS - 1), opened)
    const probing = atInstant(opened, PAUSE_FIRST_MS)
    assert.equal(roomOf(probing), PROBE_PUSHES)
    const sent = spend(spend(probing, 30), 20)
    assert.equal(roomOf(sent), 0)
    const half = recordAnswers(sent, 30, 30, PAUSE_FIRST_MS)
    assert.equal(half.kind, 'half-open', 'it waits for the whole probe')
    assert.deepEqual(recordAnswers(sent, PROBE_PUSHES, 25, PAUSE_FIRST_MS), newTokenBreaker)
  })

  test('a bad probe doubles the pause, up to the longest', () => {
    let breaker = opened
    const pauses: number[] = []
    for (let trip = 0; trip < 10; trip++) {
      const nowMs = breaker.kind === 'open' ? breaker.untilMs : 0
      breaker = recordAnswers(spend(atInstant(breaker, nowMs), PROBE_PUSHES), PROBE_PUSHES, PROBE_PUSHES, nowMs)
      assert.ok(breaker.kind === 'open')
      pauses.push(breaker.untilMs - nowMs)
    }
    assert.deepEqual(pauses.slice(0, 3), [2 * PAUSE_FIRST_MS, 4 * PAUSE_FIRST_MS, 8 * PAUSE_FIRST_MS])
    assert.equal(pauses.at(-1), PAUSE_MAX_MS)
  })

  test('a probe whose answers never came is begun anew', () => {
    const stuck = spend(atInstant(opened, PAUSE_FIRST_MS), PROBE_PUSHES)
    assert.equal(roomOf(atInstant(stuck, PAUSE_FIRST_MS + PROBE_MS - 1)), 0)
    assert.equal(roomOf(atInstant(stuck, PAUSE_FIRST_MS + PROBE_MS)), PROBE_PUSHES)
  })

  test('late answers of pushes from before the pause change nothing', () => {
    assert.equal(recordAnswers(opened, 4_000, 4_000, 1), opened)
  })
})
