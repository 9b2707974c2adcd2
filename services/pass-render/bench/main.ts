import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { describeMachine, markdownTable } from '@stampede/h2push/bench'
import { type CampaignReport, campaignScenario } from './campaign.ts'
import { webScenario } from './web.ts'

const scenarios = [webScenario, campaignScenario]

const usage = `usage: npm run bench -w services/pass-render [-- options]
  --quick       a tenth of the two million cards
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
  console.log(`# pass-render\n\nMachine: ${describeMachine()}; node ${process.version}.`)
  const reports: CampaignReport[] = []
  for (const scenario of chosen) {
    const report = await scenario.run({ isQuick: values.quick, progress: (line) => console.error(line) })
    reports.push(report)
    const goals = report.goals.map(({ name, must, measured, isReached }) => [
      name,
      must,
      measured,
      isReached ? 'ok' : 'SHORT',
    ])
    console.log(`\n## ${report.title}\n\n${report.text}\n\n${markdownTable(['goal', 'must', 'measured', ''], goals)}`)
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(reports, null, 2)}\n`)
  return 0
}

process.exitCode = await main()
