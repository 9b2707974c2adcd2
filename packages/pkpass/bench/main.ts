import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { canPin, describeMachine, type Goal, markdownTable } from '@stampede/h2push/bench'
import { coresScenario } from './cores.ts'
import { memoryScenario } from './memory.ts'
import { oneCoreScenario } from './one-core.ts'
import type { Context, Report, Scenario } from './scenarios.ts'

const scenarios: readonly Scenario[] = [oneCoreScenario, coresScenario, memoryScenario]

const usage = `usage: npm run bench -w packages/pkpass [-- options]
  --quick       fewer rounds, 300,000 instead of a million passes for memory
  --only NAME   one or more, separated by commas: ${scenarios.map(({ name }) => name).join(', ')}
  --json FILE   writes everything measured`

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const names = values.only?.split(',')
  const chosen = scenarios.filter(({ name }) => names === undefined || names.includes(name))
  if (values.help || chosen.length !== (names?.length ?? scenarios.length)) {
    console.log(usage)
    return values.help ? 0 : 2
  }
  const progress = (line: string): void => console.error(line)
  const context: Context = { isQuick: values.quick, progress }
  printHead()
  const reports: Report[] = []
  for (const scenario of chosen) {
    progress(scenario.name)
    const report = await scenario.run(context)
    reports.push(report)
    console.log(`\n## ${report.title}\n\n${report.text}\n\n${goalTable(report.goals)}`)
  }
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ machine: describeMachine(), reports }, null, 2)}\n`)
  }
  printEnd(reports.flatMap(({ goals }) => goals))
  return 0
}

function printHead(): void {
  console.log('# Signed passes\n')
  console.log(`Machine: ${describeMachine()}; node ${process.version}, OpenSSL ${process.versions.openssl}.`)
  console.log(
    [
      'A member card with 60 kB of images and a pass.json of its own each time, validated, RSA-2048 and SHA-256, 32 on the way at once.',
      `Everything runs in processes of its own${canPin ? '' : ' (NOT PINNED: there is no taskset)'}, one after the other.`,
    ].join('\n'),
  )
}

function goalTable(goals: readonly Goal[]): string {
  const cells = goals.map(({ name, must, measured, isReached }) => [name, must, measured, isReached ? 'ok' : 'SHORT'])
  return markdownTable(['goal', 'must', 'measured', ''], cells)
}

function printEnd(goals: readonly Goal[]): void {
  const missed = goals.filter(({ isReached }) => !isReached)
  console.log(`\n${goals.length - missed.length} of ${goals.length} goals reached.`)
  for (const { name, must, measured } of missed) console.log(`SHORT ${name}: ${measured}, must be ${must}`)
}

process.exitCode = await main()
