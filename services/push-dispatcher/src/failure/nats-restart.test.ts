import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runScenario, sizeOf } from './testing/scenario.ts'

const size = sizeOf(process.env['STAMPEDE_FULL'] === '1')
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const options = { timeout: 300_000 }
console.log(`SEED=${seed}`)

describe('a broker that is killed in the middle of a campaign', { concurrency: true }, () => {
  it('twice: every recipient is pushed, and repeated are at most the chunks in flight', options, async () => {
    const end = await runScenario({ ...size, seed, blows: [{ nats: true }, { nats: true }] })
    assert.deepEqual(end.broken, [], `SEED=${seed}`)
  })

  it('before the first push: chunks that wait in hand are not pushed twice', options, async () => {
    // So slow that those who ask again meanwhile are given what the broker forgot to have handed out.
    const slow = { recipients: 5_000, chunkSize: 250, perSecond: 150 }
    const end = await runScenario({ ...slow, seed, blows: [{ nats: true, atOnce: true }] })
    assert.deepEqual(end.broken, [], `SEED=${seed}`)
  })

  it('together with dispatchers: the same holds', options, async () => {
    const blows = [{ nats: true }, { replicas: 1 }, { nats: true, replicas: 1 }, { replicas: 2 }] as const
    const end = await runScenario({ ...size, seed, blows })
    assert.deepEqual(end.broken, [], `SEED=${seed}`)
  })
})
