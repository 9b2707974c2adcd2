import assert from 'node:assert/strict'
import { it } from 'node:test'
import { runScenario } from './testing/scenario.ts'

const phones = process.env['STAMPEDE_FULL'] === '1' ? 100_000 : 400
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
console.log(`SEED=${seed}`)

it('phones end on the latest version whatever happens to the service and the events', {
  timeout: 3_600_000,
}, async () => {
  const blows = ['SIGKILL', 'SIGTERM', 'SIGKILL', 'SIGKILL'] as const
  const end = await runScenario({ phones, seed, blows })
  assert.deepEqual(end.broken, [], `SEED=${seed}`)
  assert.ok(end.fetches >= phones, `every pass changed and was fetched, SEED=${seed}`)
})
