import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANSWERS_MIN, PAUSE_FIRST_MS, PROBE_PUSHES } from '../domain/token-breaker.ts'
import { BrandPaces } from './brand-pace.ts'
import { RateGate } from './rate-gate.ts'
import { TokenBreakers } from './token-breakers.ts'

const never = new AbortController().signal

function makeParts() {
  const changes: string[] = []
  const breakers = new TokenBreakers((brand, isBlocked) => changes.push(`${brand} ${isBlocked}`))
  const gate = new RateGate({ globalPerSecond: 0, bulkPerSecond: () => 0 }, breakers)
  return { changes, breakers, gate, paces: new BrandPaces(breakers) }
}

describe('breakers of bad tokens', () => {
  test('an open one pauses the bulk lane of its brand alone', async () => {
    const { changes, breakers, gate, paces } = makeParts()
    const nowMs = Date.now()
    breakers.record('bad', ANSWERS_MIN, ANSWERS_MIN, nowMs)
    assert.deepEqual(changes, ['bad true'])
    assert.equal(paces.pausedUntilMs('bad', 'bulk'), nowMs + PAUSE_FIRST_MS)
    assert.equal(paces.pausedUntilMs('bad', 'tx'), 0)
    assert.equal(paces.pausedUntilMs('good', 'bulk'), 0)
    assert.equal(await gate.grant('bulk', 'bad', 10, never), 0, 'it does not wait for the end of the pause')
    assert.equal(await gate.grant('tx', 'bad', 10, never), 10)
    assert.equal(await gate.grant('bulk', 'good', 10, never), 10)
  })

  test('after the pause one probe goes, and the rest when it was good', async () => {
    const { changes, breakers, gate, paces } = makeParts()
    breakers.record('bad', ANSWERS_MIN, ANSWERS_MIN, Date.now() - PAUSE_FIRST_MS)
    assert.equal(paces.pausedUntilMs('bad', 'bulk'), 0)
    assert.equal(await gate.grant('bulk', 'bad', 1_000, never), PROBE_PUSHES)
    assert.equal(await gate.grant('bulk', 'bad', 1_000, never), 0)
    const waitMs = paces.pausedUntilMs('bad', 'bulk') - Date.now()
    assert.ok(waitMs > 500, `others wait for the probe outside of the lane: ${waitMs} ms`)
    breakers.record('bad', PROBE_PUSHES, 0, Date.now())
    assert.deepEqual(changes, ['bad true', 'bad false'])
    assert.equal(await gate.grant('bulk', 'bad', 1_000, never), 1_000)
  })

  test('a probe that goes wrong pauses again, and nobody is told twice', () => {
    const { changes, breakers } = makeParts()
    const nowMs = Date.now()
    breakers.record('bad', ANSWERS_MIN, ANSWERS_MIN, nowMs - PAUSE_FIRST_MS)
    breakers.record('bad', PROBE_PUSHES, PROBE_PUSHES, nowMs)
    assert.equal(breakers.pausedUntilMs('bad', nowMs), nowMs + 2 * PAUSE_FIRST_MS)
    assert.deepEqual(changes, ['bad true'])
  })
})
