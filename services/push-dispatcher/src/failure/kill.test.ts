import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runScenario, sizeOf } from './testing/scenario.ts'

const size = sizeOf(process.env['STAMPEDE_FULL'] === '1')
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const options = { timeout: 300_000 }
console.log(`SEED=${seed}`)

describe('dispatchers that end in the middle of a campaign', { concurrency: true }, () => {
  it('killed: every recipient is pushed, and repeated are at most the chunks in flight', options, async () => {
    const kill = { replicas: 1 }
    const blows = [kill, { streamLimit: 20 }, kill, kill, { streamLimit: 1_000 }]
    const end = await runScenario({ ...size, seed, blows })
    assert.deepEqual(end.broken, [], `SEED=${seed}`)
    assert.ok(end.pushes.repeats > 0, `no kill came while pushes were on their way, SEED=${seed}`)
  })

  it('asked to end: every recipient is pushed once', options, async () => {
    const stop = { replicas: 1, signal: 'SIGTERM' } as const
    const end = await runScenario({ ...size, seed, blows: [stop, stop, stop] })
    assert.deepEqual(end.broken, [], `SEED=${seed}`)
  })
})
