import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PhoneCostModel, type PhoneCosts, type PhoneWork } from './phone-costs.ts'

const first: PhoneCosts = { handshakeMs: 0.4, answerMs: 0.05, signedMs: 0.4 }
const truth: PhoneCosts = { handshakeMs: 0.3, answerMs: 0.04, signedMs: 0.7 }
const seed = Number(process.env['SEED'] ?? 1)

/** Mulberry32. */
function random(): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function cost(work: PhoneWork, costs = truth): number {
  return work.handshakes * costs.handshakeMs + work.answers * costs.answerMs + work.signed * costs.signedMs
}

function visits(count: number, seconds = 2): PhoneWork {
  return { seconds, handshakes: count, answers: 2 * count, signed: count }
}

function near(actual: number, expected: number, share: number): void {
  assert.ok(Math.abs(actual / expected - 1) < share, `${actual} against ${expected}, SEED=${seed}`)
}

const visitMs = cost(visits(1))

describe('the costs of phones', () => {
  it('are right after some windows of visits', () => {
    const model = new PhoneCostModel(first)
    for (let window = 0; window < 15; window++) model.learn(visits(1_500), cost(visits(1_500)), 1)
    near(model.visitMs, visitMs, 0.03)
  })

  it('stay right when all phones keep their connections, and when they begin to come anew', () => {
    const model = new PhoneCostModel(first)
    const next = random()
    const warm = { seconds: 2, handshakes: 0, answers: 2_000, signed: 2_000 }
    for (let window = 0; window < 60; window++) {
      const work = window % 2 === 0 ? visits(500 + 1_000 * next()) : warm
      model.learn(work, cost(work) * (0.95 + 0.1 * next()), 1)
    }
    near(model.visitMs, visitMs, 0.1)
    for (let window = 0; window < 30; window++) model.learn(warm, cost(warm), 1)
    near(model.visitMs, visitMs, 0.1)
  })

  it('do not count what is used without phones', () => {
    const model = new PhoneCostModel(first)
    for (let window = 0; window < 40; window++) model.learn(visits(0), 200, 0.1)
    near(model.idleMsPerSecond, 100, 0.05)
    for (let window = 0; window < 20; window++) model.learn(visits(1_000), cost(visits(1_000)) + 200, 1)
    near(model.visitMs, visitMs, 0.05)
  })

  it('know that the same work costs more in a process that is half idle', () => {
    const model = new PhoneCostModel(first)
    for (let window = 0; window < 30; window++) model.learn(visits(700), cost(visits(700)) * 1.3, 0.5)
    near(model.visitMs, visitMs, 0.02)
  })

  it('learn little from little, and never run away', () => {
    const model = new PhoneCostModel(first)
    const before = model.visitMs
    model.learn(visits(1), 500, 0.01)
    assert.ok(model.visitMs < before * 10)
    for (let window = 0; window < 1_000; window++) model.learn(visits(1), 5_000, 1)
    assert.ok(model.visitMs <= cost(visits(1), first) * 10 + 1e-9)
    for (let window = 0; window < 1_000; window++) model.learn(visits(1_000), 0, 1)
    assert.ok(model.visitMs >= cost(visits(1), first) * 0.2 - 1e-9)
  })
})
