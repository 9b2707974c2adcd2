import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { planGoogleMessage } from './plan-google-message.ts'

const holders = 2_000_000
const perSecond = 20

describe('the plan of a message to Google', () => {
  test('a whole class is one call, whoever holds it', () => {
    const plan = planGoogleMessage({ target: 'class', holders, perSecond, withinSeconds: 60 })
    assert.deepEqual([plan.calls, plan.fits, plan.remainder], [1, true, 0])
    assert.ok(plan.seconds < 1)
  })

  test('two million objects do not fit into eight hours, and the remainder is told', () => {
    const plan = planGoogleMessage({ target: 'objects', holders, perSecond, withinSeconds: 8 * 3_600 })
    assert.deepEqual([plan.calls, plan.fits], [holders, false])
    assert.equal(plan.remainder, holders - 8 * 3_600 * 16)
    assert.ok(plan.seconds > 34 * 3_600 && plan.seconds < 35 * 3_600)
  })

  test('what takes exactly as long as there is fits; nobody costs nothing', () => {
    const exact = { target: 'objects', holders: 160, perSecond, withinSeconds: 10 } as const
    assert.deepEqual(planGoogleMessage(exact), { calls: 160, seconds: 10, fits: true, remainder: 0 })
    assert.equal(planGoogleMessage({ ...exact, holders: 161 }).remainder, 1)
    const nobody = { calls: 0, seconds: 0, fits: true, remainder: 0 }
    assert.deepEqual(planGoogleMessage({ ...exact, holders: 0 }), nobody)
    assert.deepEqual(planGoogleMessage({ ...exact, target: 'class', holders: 0 }), nobody)
  })

  test('after the deadline nobody is reached', () => {
    const late = { perSecond, withinSeconds: -1 }
    assert.equal(planGoogleMessage({ target: 'objects', holders: 5, ...late }).remainder, 5)
    assert.equal(planGoogleMessage({ target: 'class', holders, ...late }).remainder, holders)
  })
})
