import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { bind, canPin, describeMachine, type Goal, makeCertificates, markdownTable } from '@stampede/h2push/bench'
import { campaignScenario } from './campaign.ts'
import { overloadScenario } from './overload.ts'
import { buildPhones } from './phones.ts'
import type { Context, Report, Scenario } from './scenarios.ts'
import { visitsScenario } from './visits.ts'
import { warmScenario } from './warm.ts'

const scenarios: readonly Scenario[] = [warmScenario, visitsScenario, overloadScenario, campaignScenario]

const usage = `usage: npm run bench -w services/pass-render [-- options]
  --quick       fewer and shorter runs
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
  const phones = buildPhones()
  if (!phones.ok) {
    console.log(`SKIPPED: ${phones.reason}`)
    return 0
  }
  const machine = describeMachine()
  const allCpus = `0-${availableParallelism() - 1}`
  using certificates = makeCertificates()
  const progress = (line: string): void => console.error(line)
  const context: Context = { phonesPath: phones.path, certificates, isQuick: values.quick, progress }
  printHead(machine)
  const reports: Report[] = []
  for (const scenario of chosen) {
    progress(scenario.name)
    // Scenarios bind this process, and with it what they start.
    bind(process.pid, allCpus)
    const report = await scenario.run(context)
    reports.push(report)
    console.log(`\n## ${report.title}\n\n${report.text}\n\n${goalTable(report.goals)}`)
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, reports }, null, 2)}\n`)
  printEnd(reports.flatMap(({ goals }) => goals))
  return 0
}

function printHead(machine: string): void {
  console.log('# Phones that come back\n')
  console.log(`Machine: ${machine}; node ${process.version}, OpenSSL ${process.versions.openssl}.`)
  console.log(
    [
      'The service is a process of its own on one core, all its threads included: TLS, HTTP, rendering and signing.',
      `PostgreSQL, nats-server, the phones and the harness share the other${canPin ? '' : ' (NOT PINNED: there is no taskset)'}.`,
      'Each pass is a member card with a balance, ten shops, a message of a campaign and 60 kB of images; RSA-2048, TLS 1.3 with',
      'an ECDSA P-256 certificate, no session resumed. Loopback: no packet is lost and no path is long.',
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
