import type { BenchContext, Report, Scenario } from '@stampede/h2push/bench'
import { CLIENT_CPU, digits, limitGoal, markdownTable, median, observe, percent, short } from '@stampede/h2push/bench'
import { opensslSignsPerSecond, runSubject, type SubjectJob, type SubjectResult } from './run.ts'

/** Share of the speed of bare RSA that signed passes must reach. */
const OPENSSL_SHARE_MIN = 0.85
const PASSKIT_RATIO_MIN = 80
const rounds = { full: 5, quick: 3 }
const opensslSeconds = 1

interface Row extends SubjectJob {
  readonly name: string
}

// The first ten thousand passes still compile and grow the heap; a server runs for days.
const rows: readonly Row[] = [
  { name: 'buildPassChunks', kind: 'chunks', warmup: 12_000, count: 12_000 },
  { name: 'buildPass', kind: 'whole', warmup: 12_000, count: 8_000 },
  { name: 'signature alone', kind: 'signature', warmup: 4_000, count: 4_000 },
  { name: 'node:crypto sign alone', kind: 'rsa', warmup: 2_000, count: 4_000 },
  { name: 'passkit-generator', kind: 'passkit', warmup: 10, count: 80 },
]

/** One run, and what openssl did beside it. */
interface Measured extends SubjectResult {
  /** Mean of just before and just after; undefined where there is no openssl. */
  readonly opensslPerSecond: number | undefined
}

/** One turn of everything. */
interface Round {
  readonly results: ReadonlyMap<SubjectJob['kind'], Measured>
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

async function round(context: BenchContext): Promise<Round> {
  const happened = observe([])
  const results = new Map<SubjectJob['kind'], Measured>()
  let before = await opensslSignsPerSecond(CLIENT_CPU, opensslSeconds)
  for (const { name, ...job } of rows) {
    context.progress(`    ${name}`)
    const result = await runSubject(CLIENT_CPU, job)
    const after = await opensslSignsPerSecond(CLIENT_CPU, opensslSeconds)
    // The speed of a virtual machine drifts by some percent within a round: only neighbours are compared.
    const opensslPerSecond = before === undefined || after === undefined ? undefined : (before + after) / 2
    results.set(job.kind, { ...result, opensslPerSecond })
    before = after
  }
  return { results, foreign: happened().foreign }
}

function report(done: readonly Round[]): Report {
  const openssl = done.flatMap(({ results }) => [...results.values()].flatMap((one) => one.opensslPerSecond ?? []))
  const cells = rows.map((row) => rowCells(row, done))
  if (openssl.length > 0) {
    const perSecond = median(openssl)
    const range = `${short(perSecond)} (${short(Math.min(...openssl))}-${short(Math.max(...openssl))})`
    cells.push(['openssl speed rsa2048', range, '', digits(1e6 / perSecond), '1.00 x', '', '', ''])
  }
  const head = ['work', 'per CPU second', 'per second', 'CPU us', 'of openssl', 'of passkit', 'kB', 'foreign']
  return {
    title: 'One core',
    text: [
      markdownTable(head, cells),
      '',
      'Medians of the rounds, the extremes in brackets. All threads of a process, the pool that signs included, are bound to the same core.',
      'Ratios are of CPU time, which is also what openssl speed counts, between neighbours in time: other load on the machine moves them little.',
      ...(openssl.length === 0 ? ['SKIPPED: there is no openssl to compare with.'] : []),
    ].join('\n'),
    goals: [...shareGoals(done), passkitGoal(done)],
    data: done.map(({ results, foreign }) => ({ foreign, results: Object.fromEntries(results) })),
  }
}

function shareGoals(done: readonly Round[]): Report['goals'] {
  const shares = done.flatMap((one) => openSslShare(one, 'chunks') ?? [])
  if (shares.length === 0) return []
  return [limitGoal('buildPassChunks against openssl speed', median(shares), 'at least', OPENSSL_SHARE_MIN, ' x')]
}

function passkitGoal(done: readonly Round[]): Report['goals'][number] {
  const ratio = passkitRatio('chunks', done)
  return limitGoal('buildPassChunks against passkit-generator', ratio, 'at least', PASSKIT_RATIO_MIN, ' x')
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
    kind === 'chunks' || kind === 'whole' ? `${digits(passkitRatio(kind, done))} x` : '',
    digits(median(results.map(({ bytes }) => bytes / 1e3))),
    percent(median(done.map(({ foreign }) => foreign))),
  ]
}

function openSslShare({ results }: Round, kind: SubjectJob['kind']): number | undefined {
  const result = results.get(kind)
  return result?.opensslPerSecond === undefined ? undefined : perCpuSecond(result) / result.opensslPerSecond
}

function passkitRatio(kind: SubjectJob['kind'], done: readonly Round[]): number {
  const ratios = done.flatMap(({ results }) => {
    const [ours, theirs] = [results.get(kind), results.get('passkit')]
    return ours === undefined || theirs === undefined ? [] : [perCpuSecond(ours) / perCpuSecond(theirs)]
  })
  return median(ratios)
}

function perCpuSecond({ count, cpuSeconds }: SubjectResult): number {
  return count / cpuSeconds
}
