import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { describeMachine, type Goal, markdownTable } from '@stampede/h2push/bench'
import { grpcScenario } from './grpc.ts'
import { holdsScenario } from './holds.ts'
import { receiptsScenario } from './receipts.ts'
import type { Report, Scenario } from './scenarios.ts'
import { tpcbScenario } from './tpcb.ts'

const scenarios: readonly Scenario[] = [receiptsScenario, holdsScenario, grpcScenario, tpcbScenario]

const usage = `usage: npm run bench -w services/ledger [-- options]
  --quick       shorter runs
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
  const machine = describeMachine()
  console.log('# The ledger\n')
  console.log(`Machine: ${machine}; node ${process.version}. PostgreSQL is embedded, its commits are flushed to disk.`)
  console.log('Callers, ledger and PostgreSQL share all cores.')
  const reports: Report[] = []
  for (const scenario of chosen) {
    console.error(scenario.name)
    const report = await scenario.run({ isQuick: values.quick, progress: (line) => console.error(line) })
    reports.push(report)
    console.log(`\n## ${report.title}\n\n${report.text}`)
    if (report.goals.length > 0) console.log(`\n${goalTable(report.goals)}`)
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, reports }, null, 2)}\n`)
  printEnd(reports.flatMap(({ goals }) => goals))
  return 0
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
