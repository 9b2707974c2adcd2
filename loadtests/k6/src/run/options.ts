import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type ScenarioName, scenarioNames } from '../plan/fixture.ts'

/** What the command line asks for. */
export interface LoadOptions {
  readonly scenario: ScenarioName
  readonly scale: number
  readonly durationSeconds: number
  readonly dataDir: string
  /** File that describes a platform elsewhere. */
  readonly against: string | undefined
  readonly slack: number
  readonly thresholds: Readonly<Record<string, readonly string[]>>
  /** Folder of the report; undefined: one of its own under the data directory. */
  readonly report: string | undefined
}

/** A command line that cannot be used; one clear line. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const helpText = `npm run load -- SCENARIO [flags]   puts load on a running platform, verifies it and writes a report

  SCENARIO              ${scenarioNames.join(', ')}
  --scale N             share of two million cards and all that follows, 0.00005 to 10 (default 0.005)
  --duration S          seconds of load, 5 to 86,400 (default 60; soak 1800)
  --data-dir DIR        platform to use, or to start when none runs there (default .stampede)
  --against FILE        a platform elsewhere: JSON with its brand and addresses; see docs/load.md
  --slack N             multiplies the limits of latency, 1 to 100: for a machine that others use too (default 1)
  --threshold M=E       sets what k6's metric M must fulfil, such as "call_duration{kind:earn}=p(99)<50"; may be repeated
  --report DIR          folder of the report (default DIR/load/RUN of the data directory)
  --help                this text

Exit code: 0 well; 1 a threshold or an invariant is broken; 2 wrong flags; 3 no k6.
`

const flags = {
  scale: { type: 'string', default: '0.005' },
  duration: { type: 'string' },
  'data-dir': { type: 'string', default: '.stampede' },
  against: { type: 'string' },
  slack: { type: 'string', default: '1' },
  threshold: { type: 'string', multiple: true, default: [] as string[] },
  report: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

/** Reads the command line; paths are meant relative to `from`. `help` when it asks for the help text. Throws UsageError. */
export function parseOptions(args: readonly string[], from: string): LoadOptions | 'help' {
  const { values, positionals } = parse(args)
  if (values.help) return 'help'
  const [name = '', ...more] = positionals
  const scenario = scenarioNames.find((known) => known === name)
  if (scenario === undefined) throw new UsageError(`"${name}" is no scenario; one of ${scenarioNames.join(', ')}`)
  if (more.length > 0) throw new UsageError(`one scenario at a time; "${more[0]}" is too much`)
  const duration = values.duration ?? (scenario === 'soak' ? '1800' : '60')
  const path = (value: string | undefined): string | undefined =>
    value === undefined ? undefined : resolve(from, value)
  return {
    scenario,
    scale: number('scale', values.scale, 0.000_05, 10),
    durationSeconds: number('duration', duration, 5, 86_400),
    dataDir: resolve(from, values['data-dir']),
    against: path(values.against),
    slack: number('slack', values.slack, 1, 100),
    thresholds: readThresholds(values.threshold),
    report: path(values.report),
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, strict: true, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function number(flag: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= min && value <= max) return value
  throw new UsageError(`--${flag} is a number from ${min} to ${max}, not "${text}"`)
}

/** A metric's name may hold a tag, and an expression begins with its aggregate: the last `=` before that divides them. */
function readThresholds(texts: readonly string[]): LoadOptions['thresholds'] {
  const pairs = texts.map((text) => {
    const [, metric, expression] =
      /^([a-z_0-9]+(?:\{[a-z]+:[a-z-]+\})?)=([a-z]+(?:\([\d.]+\))?[<>=!]+[\d.]+)$/.exec(text) ?? []
    if (metric === undefined || expression === undefined)
      throw new UsageError(
        `--threshold is METRIC=EXPRESSION such as "call_duration{kind:earn}=p(99)<50", not "${text}"`,
      )
    return [metric, expression] as const
  })
  const byMetric = Object.groupBy(pairs, ([metric]) => metric)
  return Object.fromEntries(
    Object.entries(byMetric).map(([metric, found = []]) => [metric, found.map(([, expression]) => expression)]),
  )
}
