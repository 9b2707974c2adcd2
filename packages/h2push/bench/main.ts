import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { describeMachine, FOREIGN_SHARE_MAX, STEAL_SHARE_MAX } from './machine.ts'
import { preparePeers } from './peers/catalog.ts'
import { canPin } from './pinned.ts'
import type { Context, Goal, Report, Scenario } from './scenarios/context.ts'
import { faultScenario } from './scenarios/faults.ts'
import { goaway } from './scenarios/goaway.ts'
import { memory } from './scenarios/memory.ts'
import { coalesced, latency, low, oneRecord, ours } from './scenarios/throughput.ts'
import { buildSink } from './sink/build.ts'
import { makeCertificates } from './sink/certificates.ts'
import { markdownTable, percent } from './table.ts'

const scenarios: readonly Scenario[] = [coalesced, oneRecord, latency, low, ours, memory, goaway, faultScenario]

const usage = `usage: npm run bench -w packages/h2push [-- options]
  --quick       3 short runs of each instead of 5
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
  console.error('preparing the peers')
  const { clients, skipped, versions } = preparePeers()
  using certificates = makeCertificates()
  const progress = (line: string): void => console.error(line)
  const context: Context = { sinkPath: sink.path, certificates, clients, isQuick: values.quick, progress }
  printHead(skipped, versions)
  const reports: Report[] = []
  for (const scenario of chosen) {
    progress(scenario.name)
    const report = await scenario.run(context)
    reports.push(report)
    console.log(`\n## ${report.title}\n\n${report.text}\n\n${goalTable(report.goals)}`)
  }
  if (values.json !== undefined) writeJson(values.json, { versions, skipped, reports })
  printEnd(reports.flatMap(({ goals }) => goals))
  return 0
}

function printHead(skipped: readonly string[], versions: Readonly<Record<string, string>>): void {
  console.log('# h2push against its peers\n')
  console.log(`Machine: ${describeMachine()}.`)
  console.log(
    `Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
  )
  console.log(
    [
      'Loopback: no packet is lost, no path is long, and the peer is a test sink, not APNs, whose speed, record shape and limits are its own.',
      'Ratios between clients hold where the client is the limit; against Apple, streams / round-trip time is.',
      `Client on one core, sink on another${canPin ? '' : ' (NOT PINNED: there is no taskset)'}; medians; runs with more than ${percent(FOREIGN_SHARE_MAX)} foreign CPU time or ${percent(STEAL_SHARE_MAX)} steal are dropped where 3 clean ones remain.`,
      'All send POST /3/device/<64 hex> with topic, push type and priority, and the body {}; node-apn sends no body for that and gets {"v":1}, npm apns2 sends its own {"aps":{}}.',
      'CPU and time are taken after a warm-up; h2load, which needs none, is measured from its start.',
    ].join('\n'),
  )
  for (const line of skipped) console.log(`\nSKIPPED ${line}`)
}

function goalTable(goals: readonly Goal[]): string {
  if (goals.length === 0) return ''
  const cells = goals.map(({ name, must, measured, isReached }) => [name, must, measured, isReached ? 'ok' : 'SHORT'])
  return markdownTable(['goal', 'must', 'measured', ''], cells)
}

function printEnd(goals: readonly Goal[]): void {
  const short = goals.filter(({ isReached }) => !isReached)
  console.log(`\n${goals.length - short.length} of ${goals.length} goals reached.`)
  for (const { name, must, measured } of short) console.log(`SHORT ${name}: ${measured}, must be ${must}`)
}

function writeJson(file: string, data: object): void {
  writeFileSync(file, `${JSON.stringify({ machine: describeMachine(), ...data }, null, 2)}\n`)
}

process.exitCode = await main()
