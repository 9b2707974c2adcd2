import type { Blow } from './testing/blows.ts'
import { runScenario, type ScenarioEnd, sizeOf } from './testing/scenario.ts'

const kill: Blow = { replicas: 1 }

/** The drills by name, each on a campaign to 200,000. */
const drills: Readonly<Record<string, readonly Blow[]>> = {
  'kill-dispatcher': [kill, { streamLimit: 20 }, kill, { streamLimit: 1_000 }, kill, kill, { replicas: 2 }, kill],
  'restart-nats': [{ nats: true }, { nats: true }, { nats: true, replicas: 1 }, { nats: true }],
}

function show({ pushes, results, unknown, repeatableChunks, seconds }: ScenarioEnd): void {
  const refused = Object.values(pushes.refused).reduce((sum, one) => sum + one, 0)
  const rows: readonly (readonly [what: string, count: number])[] = [
    ['enqueued', pushes.enqueued],
    ['pushed at least once', pushes.pushed],
    ['lost', pushes.enqueued - pushes.pushed],
    ['repeats', pushes.repeats],
    ['outcome unknown', unknown],
    ['chunks repeated', pushes.repeatedChunks],
    ['chunks that may be repeated', repeatableChunks],
    ["on another brand's topic", pushes.foreign],
    ['refused by the sandbox', refused],
    ['results: accepted', results.accepted],
    ['results: rejected', results.rejected],
    ['results: expired', results.expired],
    ['results: aborted', results.aborted],
    ['pending', results.pending],
    ['seconds', Math.round(seconds)],
  ]
  for (const [what, count] of rows) console.log(`${what.padEnd(40)}${String(count).padStart(9)}`)
}

const blows = drills[process.argv[2] ?? '']
if (blows === undefined) {
  console.error(`drill: one of ${Object.keys(drills).join(', ')}`)
  process.exitCode = 2
} else {
  const report = (line: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`)
  const end = await runScenario({ ...sizeOf(true), seed: Date.now() % 1_000_000, blows, report })
  show(end)
  for (const what of end.broken) console.log(`BROKEN ${what}`)
  console.log(end.broken.length === 0 ? 'every promise was kept' : 'promises were broken')
  process.exitCode = end.broken.length === 0 ? 0 : 1
}
