import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { scenarioNames } from './fixture.ts'
import { planOf } from './scenario.ts'
import { shapes } from './shapes.ts'
import { cardsMostWithoutCampaign, leastSizes, sizesOf } from './sizing.ts'

const run = { scale: 0.01, durationSeconds: 100, slack: 2, thresholds: {} }

describe('a scenario', () => {
  for (const scenario of scenarioNames) {
    it(`${scenario} lasts as long as it was asked to`, () => {
      for (const shape of shapes[scenario]) {
        if (shape.flow === 'campaign') continue
        const shares = shape.stages.reduce((sum, { during }) => sum + during, 0)
        assert.ok(Math.abs(shares - 1) < 1e-9, `${shape.flow}: ${shares}`)
      }
    })
  }

  it('rings up as many receipts per second as its scale says', () => {
    const { scenarios } = planOf({ ...run, scenario: 'black-friday' })
    assert.deepEqual(Object.keys(scenarios), ['till', 'enrol', 'phone', 'campaign'])
    const till = scenarios['till'] as { startRate: number; timeUnit: string; stages: readonly { target: number }[] }
    // 60,000 tills, one receipt in 30 s each, times 0.01: 20 per second.
    assert.deepEqual([till.startRate, till.timeUnit, till.stages.at(-1)?.target], [200, '10s', 200])
  })

  it('has limits of latency that grow with the slack, and takes the caller’s in place of its own', () => {
    const thresholds = { 'call_duration{kind:earn}': ['p(99)<7'] }
    const plan = planOf({ ...run, scenario: 'till-day', thresholds })
    assert.deepEqual(plan.thresholds['call_duration{kind:earn}'], ['p(99)<7'])
    assert.deepEqual(plan.thresholds['call_duration{kind:pay}'], ['p(95)<300', 'p(99)<800'])
    assert.equal(plan.thresholds['call_duration{kind:list}'], undefined)
  })

  it('that looks for the breaking point ends when a call fails', () => {
    const { thresholds } = planOf({ ...run, scenario: 'break-point' })
    assert.deepEqual(thresholds['call_failed{kind:earn}'], [
      { threshold: 'rate<0.001', abortOnFail: true, delayAbortEval: '20s' },
    ])
  })
})

describe('sizes', () => {
  it('multiply, and never fall below what can be measured', () => {
    assert.deepEqual(sizesOf(1, true), {
      cards: 2_000_000,
      receiptsPerSecond: 2_000,
      enrolsPerSecond: 200,
      visitsPerSecond: 2_000,
      campaignPerSecond: 4_000,
    })
    assert.deepEqual(sizesOf(0.000_001, true), leastSizes)
  })

  it('need few cards without a campaign', () => {
    assert.equal(sizesOf(1, false).cards, cardsMostWithoutCampaign)
  })
})
