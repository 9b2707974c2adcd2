import { CLIENT_CPU, digits, limitGoal, markdownTable, median, observe, percent, short } from '@stampede/h2push/bench'
import { opensslSignsPerSecond, runSubject, type SubjectJob, type SubjectResult } from './run.ts'
import type { Context, Report, Scenario } from './scenarios.ts'

/** Share of the speed of bare RSA that signed passes must reach. */
const OPENSSL_SHARE_MIN = 0.85
const PASSKIT_RATIO_MIN = 80
const rounds = { full: 5, quick: 3 }
const opensslSeconds = 2

interface Row extends SubjectJob {
  readonly name: string
}

// The first thousands of passes still compile and grow the heap; a server runs for days.
const rows: readonly Row[] = [
  { name: 'buildPassChunks', kind: 'chunks', warmup: 6_000, count: 10_000 },
  { name: 'buildPass', kind: 'whole', warmup: 6_000, count: 10_000 },
  { name: 'signature alone', kind: 'signature', warmup: 3_000, count: 6_000 },
  { name: 'node:crypto sign alone', kind: 'rsa', warmup: 3_000, count: 6_000 },
  { name: 'passkit-generator', kind: 'passkit', warmup: 10, count: 80 },
]

/** One turn of everything: what stands in one round ran within seconds of each other. */
interface Round {
  /** Mean of before and after; undefined where there is no openssl. */
  readonly opensslPerSecond: number | undefined
  /** By kind. */
  readonly results: ReadonlyMap<SubjectJob['kind'], SubjectResult>
  readonly foreign: number
}

/** Passes per second of one core beside what RSA allows and what passkit-generator makes. */
export const oneCoreScenario: Scenario = {
  name: 'one-core',
  async run(context) {
    const done: Round[] = []
    const count = context.isQuick ? rounds.quick : rounds.full
    for (let index = 1; index <= count; index++) {
      context.progress(`  round ${index} of ${count}`)
      done.push(await round(context))
    }
    return report(done)
  },
}

async function round(context: Context): Promise<Round> {
  const happened = observe([])
  const before = await opensslSignsPerSecond(CLIENT_CPU, opensslSeconds)
  const results = new Map<SubjectJob['kind'], SubjectResult>()
  for (const { name, ...job } of rows) {
    context.progress(`    ${name}`)
    results.set(job.kind, await runSubject(CLIENT_CPU, job))
  }
  const after = await opensslSignsPerSecond(CLIENT_CPU, opensslSeconds)
  // A virtual machine's clock drifts by some percent within a round: both ends of it count.
  const opensslPerSecond = before === undefined || after === undefined ? undefined : (before + after) / 2
  return { opensslPerSecond, results, foreign: happened().foreign }
}

function report(done: readonly Round[]): Report {
  const openssl = done.flatMap(({ opensslPerSecond }) => opensslPerSecond ?? [])
  const cells = rows.map((row) => rowCells(row, done))
  if (openssl.length > 0) {
    const perSecond = median(openssl)
    const range = `${short(perSecond)} (${short(Math.min(...openssl))}-${short(Math.max(...openssl))})`
    cells.push(['openssl speed rsa2048', range, '', digits(1e6 / perSecond), '1.00 x', '', ''])
  }
  const head = ['work', 'per CPU second', 'per second', 'CPU us', 'of openssl', 'kB', 'foreign']
  return {
    title: 'One core',
    text: [
      markdownTable(head, cells),
      '',
      'Medians of the rounds, the extremes in brackets. All threads of a process, the pool that signs included, are bound to the same core.',
      'Ratios are taken within a round, by CPU time, which is also what openssl speed counts: other load on the machine moves them little.',
      ...(openssl.length === 0 ? ['SKIPPED: there is no openssl to compare with.'] : []),
    ].join('\n'),
    goals: [...shareGoals(done), ...(['chunks', 'whole'] as const).flatMap((kind) => passkitGoal(kind, done))],
    data: done.map(({ opensslPerSecond, results, foreign }) => ({
      opensslPerSecond,
      foreign,
      results: Object.fromEntries(results),
    })),
  }
}

function shareGoals(done: readonly Round[]): Report['goals'] {
  const shares = done.flatMap((one) => openSslShare(one, 'chunks') ?? [])
  if (shares.length === 0) return []
  return [limitGoal('buildPassChunks against openssl speed', median(shares), 'at least', OPENSSL_SHARE_MIN, ' x')]
}

function passkitGoal(kind: 'chunks' | 'whole', done: readonly Round[]): Report['goals'] {
  const ratio = median(done.map((one) => ratioOf(one, kind, 'passkit')))
  const name = kind === 'chunks' ? 'buildPassChunks' : 'buildPass'
  return [limitGoal(`${name} against passkit-generator`, ratio, 'at least', PASSKIT_RATIO_MIN, ' x')]
}

function rowCells({ name, kind }: Row, done: readonly Round[]): string[] {
  const results = done.flatMap(({ results: by }) => by.get(kind) ?? [])
  const rates = results.map(perCpuSecond)
  const shares = done.flatMap((one) => openSslShare(one, kind) ?? [])
  return [
    name,
    `${short(median(rates))} (${short(Math.min(...rates))}-${short(Math.max(...rates))})`,
    short(median(results.map(({ count, seconds }) => count / seconds))),
    digits(median(rates.map((rate) => 1e6 / rate))),
    shares.length === 0 ? '' : `${digits(median(shares))} x`,
    digits(median(results.map(({ bytes }) => bytes / 1e3))),
    percent(median(done.map(({ foreign }) => foreign))),
  ]
}

function openSslShare({ opensslPerSecond, results }: Round, kind: SubjectJob['kind']): number | undefined {
  const result = results.get(kind)
  return opensslPerSecond === undefined || result === undefined ? undefined : perCpuSecond(result) / opensslPerSecond
}

function ratioOf({ results }: Round, ours: SubjectJob['kind'], theirs: SubjectJob['kind']): number {
  const [mine, other] = [results.get(ours), results.get(theirs)]
  return mine === undefined || other === undefined ? 0 : perCpuSecond(mine) / perCpuSecond(other)
}

function perCpuSecond({ count, cpuSeconds }: SubjectResult): number {
  return count / cpuSeconds
}
