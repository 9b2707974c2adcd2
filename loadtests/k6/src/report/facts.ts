import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import type { Flow } from '../plan/fixture.ts'
import { endsAtFirstBreak } from '../plan/scenario.ts'
import { hasCampaign, shapes } from '../plan/shapes.ts'
import { describeSizing } from '../plan/sizing.ts'
import { type Kind, kinds, p99LimitMs } from '../plan/thresholds.ts'
import type { ConsoleEnd } from '../run/console.ts'
import { type RunFiles, thresholdsCrossed, versionOf } from '../run/k6.ts'
import { type Knee, kneeOf } from '../run/knee.ts'
import type { LoadOptions } from '../run/options.ts'
import { repository } from '../run/platform.ts'
import type { Reconciliation } from '../run/reconcile.ts'
import type { Samples } from '../run/samples.ts'
import { countOf, type Judgement, judge, type Summary } from '../run/summary.ts'
import type { Watched } from '../run/watch.ts'

/** What a run left behind. */
export interface Gathered {
  readonly options: LoadOptions
  readonly files: RunFiles
  /** Path of the k6 program. */
  readonly k6: string
  readonly startedAt: Date
  /** Load average of the machine, and its cores. */
  readonly load: { readonly atStart: number; readonly atEnd: number; readonly cores: number }
  readonly exitCode: number
  /** Whether all phones were served in the end. */
  readonly isSettled: boolean
  readonly console: ConsoleEnd
  readonly watched: readonly Watched[]
  readonly summary: Summary
  readonly samples: Samples
  /** Undefined where the database could not be reached. */
  readonly reconciliation: Reconciliation | undefined
}

/** What the report says. */
export interface Facts extends Gathered {
  readonly versions: Readonly<Record<string, string>>
  readonly machine: string
  readonly sizing: readonly string[]
  readonly judgements: readonly Judgement[]
  readonly knee: Knee | undefined
  /** What is broken, one line each; none: all is well. */
  readonly broken: readonly string[]
}

/** Of the calls whose latency is the platform's alone: a visit's depends on when it was told to come again. */
function kneeLimits({ scenario, slack }: LoadOptions): ReadonlyMap<string, number> {
  const own = shapes[scenario].flatMap(({ flow }): readonly Kind[] => kinds[flow]).filter((kind) => kind !== 'visit')
  return new Map(own.map((kind) => [kind, p99LimitMs(kind) * slack]))
}

/** Adds what follows from what a run left behind. */
export async function gatherFacts(gathered: Gathered): Promise<Facts> {
  const { options, k6, samples, load } = gathered
  const judgements = judge(gathered.summary)
  return {
    ...gathered,
    versions: { k6: await versionOf(k6), Node: process.version, Stampede: describeCheckout() },
    machine: `${load.cores} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}`,
    sizing: describeSizing(options.scale, hasCampaign(options.scenario)),
    judgements,
    knee: endsAtFirstBreak(options.scenario)
      ? kneeOf(samples, kneeLimits(options), options.durationSeconds)
      : undefined,
    broken: findBroken(gathered, judgements),
  }
}

/** The search for the breaking point ends with a crossed threshold: that one is no failure. */
function findBroken(gathered: Gathered, judgements: readonly Judgement[]): readonly string[] {
  const { options, exitCode, console, isSettled, reconciliation, summary } = gathered
  const broken: string[] = []
  if (exitCode !== 0 && exitCode !== thresholdsCrossed) broken.push(`k6 ended with code ${exitCode}`)
  if (console.exceptions > 0) broken.push(`the scripts threw ${console.exceptions} times: ${console.complaints[0]}`)
  if (!endsAtFirstBreak(options.scenario))
    for (const { metric, expression, value, ok } of judgements)
      if (!ok) broken.push(`threshold ${metric} ${expression}: ${value === undefined ? 'no value' : round(value)}`)
  broken.push(...unmeasured(gathered))
  if (!isSettled) broken.push('phones were still not served three minutes after the end')
  const counted = countOf(summary, 'acknowledged')
  // A run that ends at once counts no more, but writes down what still arrives.
  const isComplete = endsAtFirstBreak(options.scenario)
    ? counted <= console.acknowledged
    : counted === console.acknowledged
  if (!isComplete) broken.push(`${counted} were acknowledged, ${console.acknowledged} written down`)
  broken.push(
    ...(reconciliation?.findings ?? []).flatMap((finding) =>
      finding.ok === false ? [`${finding.invariant}: ${finding.row}`] : [],
    ),
  )
  return [...broken, ...unaccounted(gathered)]
}

/** The call without which a flow did nothing. */
const mainKinds: Readonly<Record<Flow, Kind>> = { till: 'earn', phone: 'visit', enrol: 'enrol', campaign: 'start' }

/** A flow that served nobody proves nothing. */
function unmeasured({ options, summary }: Gathered): readonly string[] {
  return shapes[options.scenario].flatMap(({ flow }) => {
    const served = summary.metrics[`call_duration{kind:${mainKinds[flow]}}`]?.values['count'] ?? 0
    return served === 0 ? [`${flow}: not one call was served`] : []
  })
}

/** What was posted is what was acknowledged, and what a caller gave up on. */
function unaccounted({ options, console, reconciliation, summary }: Gathered): readonly string[] {
  if (reconciliation === undefined) return []
  const givenUp = ['earn', 'earn-http', 'pay', 'repeat', 'return'].reduce(
    (sum, kind) => sum + (summary.metrics[`call_failed{kind:${kind}}`]?.values['passes'] ?? 0),
    0,
  )
  const unanswered = reconciliation.posted - console.keys
  // A run that ends at once leaves calls without an answer that nobody gave up on.
  if (endsAtFirstBreak(options.scenario) && unanswered >= 0) return []
  return unanswered < 0 || unanswered > givenUp
    ? [`${reconciliation.posted} were posted, ${console.keys} acknowledged, callers gave up on ${givenUp}`]
    : []
}

function round(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 4 })
}

function describeCheckout(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: repository,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}
