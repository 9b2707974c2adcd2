import { runScenario, type ScenarioEnd } from './testing/scenario.ts'

/** Phones of the drill; of the test with STAMPEDE_FULL=1 ten times as many. */
const PHONES = 10_000

function show({ phones, events, changes, fetches, failures, seconds }: ScenarioEnd): void {
  const rows: readonly (readonly [what: string, count: number])[] = [
    ['phones', phones],
    ['events, repeated ones too', events],
    ['visible changes', changes],
    ['passes fetched', fetches],
    ['visits tried again', failures],
    ['seconds', Math.round(seconds)],
  ]
  for (const [what, count] of rows) console.log(`${what.padEnd(40)}${String(count).padStart(9)}`)
}

const report = (line: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`)
const blows = ['SIGKILL', 'SIGTERM', 'SIGKILL', 'SIGKILL'] as const
const end = await runScenario({ phones: PHONES, seed: Date.now() % 1_000_000, blows, report })
show(end)
for (const what of end.broken) console.log(`BROKEN ${what}`)
console.log(end.broken.length === 0 ? 'every promise was kept' : 'promises were broken')
process.exitCode = end.broken.length === 0 ? 0 : 1
