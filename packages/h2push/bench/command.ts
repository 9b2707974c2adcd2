import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { describeMachine } from './machine.ts'
import { markdownTable } from './table.ts'

/** What every scenario is given; a part may add to it. */
export interface BenchContext {
  /** Fewer and shorter runs. */
  readonly isQuick: boolean
  /** Says what is going on, to the terminal only. */
  progress(line: string): void
}

/** One goal and how far it was reached. */
export interface Goal {
  readonly name: string
  /** What must be reached, and what was, as told. */
  readonly must: string
  readonly measured: string
  readonly isReached: boolean
}

/** What a scenario hands to the report. */
export interface Report {
  readonly title: string
  /** Markdown: a table and notes. */
  readonly text: string
  readonly goals: readonly Goal[]
  /** For `--json`. */
  readonly data: unknown
}

/** A part of the benchmark that can be run alone. */
export interface Scenario<Context extends BenchContext = BenchContext> {
  /** For `--only`. */
  readonly name: string
  run(context: Context): Promise<Report>
}

/** A benchmark as a command. */
export interface Bench<Context extends BenchContext> {
  /** Folder in the repository, such as `services/ledger`. */
  readonly part: string
  readonly title: string
  /** What `--quick` means here. */
  readonly quick: string
  readonly scenarios: readonly Scenario<Context>[]
  /** Makes what the scenarios are given, and puts what must be ended on the stack; or says why nothing can be measured. */
  readonly open: (base: BenchContext, stack: DisposableStack) => Context | { readonly skipped: string }
  /** Lines beneath the title. */
  readonly head: (context: Context) => readonly string[]
  /** Called before each scenario. */
  readonly before?: () => void
}

/** Runs a benchmark by the flags of the command line and prints its report as Markdown; answers the exit code. */
export async function runBench<Context extends BenchContext>(bench: Bench<Context>): Promise<number> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const names = values.only?.split(',')
  const chosen = bench.scenarios.filter(({ name }) => names === undefined || names.includes(name))
  if (values.help || chosen.length !== (names?.length ?? bench.scenarios.length)) {
    console.log(usage(bench))
    return values.help ? 0 : 2
  }
  using stack = new DisposableStack()
  const progress = (line: string): void => console.error(line)
  const context = bench.open({ isQuick: values.quick, progress }, stack)
  if ('skipped' in context) {
    console.log(`SKIPPED: ${context.skipped}`)
    return 0
  }
  const machine = describeMachine()
  const head = [
    `Machine: ${machine}; node ${process.version}, OpenSSL ${process.versions.openssl}.`,
    ...bench.head(context),
  ]
  console.log(`# ${bench.title}\n\n${head.join('\n')}`)
  const reports: Report[] = []
  for (const scenario of chosen) {
    progress(scenario.name)
    bench.before?.()
    const report = await scenario.run(context)
    reports.push(report)
    console.log(`\n## ${report.title}\n\n${report.text}${goalTable(report.goals)}`)
  }
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ machine, head, reports }, null, 2)}\n`)
  }
  printEnd(reports.flatMap(({ goals }) => goals))
  return 0
}

function usage<Context extends BenchContext>({ part, quick, scenarios }: Bench<Context>): string {
  return `usage: npm run bench -w ${part} [-- options]
  --quick       ${quick}
  --only NAME   one or more, separated by commas: ${scenarios.map(({ name }) => name).join(', ')}
  --json FILE   writes everything measured`
}

function goalTable(goals: readonly Goal[]): string {
  if (goals.length === 0) return ''
  const cells = goals.map(({ name, must, measured, isReached }) => [name, must, measured, isReached ? 'ok' : 'SHORT'])
  return `\n\n${markdownTable(['goal', 'must', 'measured', ''], cells)}`
}

function printEnd(goals: readonly Goal[]): void {
  if (goals.length === 0) return
  const missed = goals.filter(({ isReached }) => !isReached)
  console.log(`\n${goals.length - missed.length} of ${goals.length} goals reached.`)
  for (const { name, must, measured } of missed) console.log(`SHORT ${name}: ${measured}, must be ${must}`)
}
