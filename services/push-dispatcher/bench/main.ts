import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import {
  bind,
  buildSink,
  canPin,
  describeMachine,
  type Goal,
  makeCertificates,
  markdownTable,
  SINK_CPU,
} from '@stampede/h2push/bench'
import { replicasScenario } from './replicas.ts'
import type { Context, Report, Scenario } from './scenarios.ts'
import { sizesScenario } from './sizes.ts'
import { transactionalScenario } from './transactional.ts'

const scenarios: readonly Scenario[] = [sizesScenario, transactionalScenario, replicasScenario]

const usage = `usage: npm run bench -w services/push-dispatcher [-- options]
  --quick       smaller campaigns and fewer runs
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
  const sink = buildSink()
  if (!sink.ok) {
    console.log(`SKIPPED: ${sink.reason}`)
    return 0
  }
  const machine = describeMachine()
  // nats-server is started from here and inherits the core.
  bind(process.pid, SINK_CPU)
  using certificates = makeCertificates()
  const progress = (line: string): void => console.error(line)
  const context: Context = { sinkPath: sink.path, certificates, isQuick: values.quick, progress }
  printHead(machine)
  const reports: Report[] = []
  for (const scenario of chosen) {
    progress(scenario.name)
    const report = await scenario.run(context)
    reports.push(report)
    console.log(`\n## ${report.title}\n\n${report.text}\n\n${goalTable(report.goals)}`)
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, reports }, null, 2)}\n`)
  printEnd(reports.flatMap(({ goals }) => goals))
  return 0
}

function printHead(machine: string): void {
  console.log('# The dispatcher from end to end\n')
  console.log(`Machine: ${machine}.`)
  console.log(
    [
      'Chunks wait in JetStream; the dispatcher, a process of its own, sends them to a test sink and stores the results in JetStream.',
      `Dispatchers have one core, nats-server, sink and harness the other${canPin ? '' : ' (NOT PINNED: there is no taskset)'}.`,
      'Loopback: no packet is lost, no path is long, and the sink is not APNs. Against Apple, streams / round-trip time is the limit.',
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
