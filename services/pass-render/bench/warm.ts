import { CLIENT_CPU, digits, limitGoal, markdownTable, median, observe, percent, short } from '@stampede/h2push/bench'
import { runSubject } from '@stampede/pkpass/bench'
import { template } from './design.ts'
import { type PhonesResult, type PhonesRun, runPhones } from './phones.ts'
import { Rig } from './rig.ts'
import type { Context, Report, Scenario } from './scenarios.ts'
import { cpuSecondsOf } from './usage.ts'

const PASSES = 60_000
const CONNECTIONS = 128
const rounds = { full: 5, quick: 2 }
const seconds = { full: 5, quick: 3 }
const MUST = { list: 15_000, same: 15_000, passShare: 0.8 }
/** As many as pkpass's own benchmark makes before and while it measures. */
const SIGNED = { warmup: 6_000, count: 10_000 }
/** The first passes of a process still compile and grow the heap; a server runs for days. */
const WARMUP_SECONDS = 5

type Mode = 'list' | 'same' | 'pass'
const modes: readonly Mode[] = ['list', 'same', 'pass']
const names = { list: 'list', same: 'pass, not changed (304)', pass: 'pass, rendered and signed' }

interface Measured {
  readonly perSecond: number
  /** Of all the service's threads, per request. */
  readonly cpuMicros: number
  readonly result: PhonesResult
}

interface Round {
  readonly measured: Readonly<Record<Mode, Measured>>
  /** Of pkpass alone, on the same core within the same round. */
  readonly signedPerSecond: number
  readonly foreign: number
}

/** Requests on connections that stay: the service without handshakes, as it is behind a proxy. */
export const warmScenario: Scenario = {
  name: 'warm',
  async run(context) {
    await using rig = await Rig.start({ certificates: context.certificates, template, passes: PASSES })
    const done: Round[] = []
    const measure = newMeasure(context, rig)
    for (const mode of modes) await measure(mode, WARMUP_SECONDS)
    for (let index = 1; index <= (context.isQuick ? rounds.quick : rounds.full); index++) {
      context.progress(`  round ${index}`)
      const happened = observe([rig.service.pid])
      const span = context.isQuick ? seconds.quick : seconds.full
      const list = await measure('list', span)
      const same = await measure('same', span)
      const pass = await measure('pass', span)
      const signed = await runSubject(CLIENT_CPU, { kind: 'chunks', ...SIGNED })
      const signedPerSecond = signed.count / signed.seconds
      done.push({ measured: { list, same, pass }, signedPerSecond, foreign: happened().foreign })
    }
    return report(done)
  },
}

/** Each run goes on where the one before ended: no pass is asked for twice within the minute that it is kept. */
function newMeasure(context: Context, rig: Rig): (mode: Mode, span: number) => Promise<Measured> {
  let first = 0
  return async (mode, span) => {
    context.progress(`    ${names[mode]}`)
    const run: PhonesRun = {
      port: rig.webPort,
      phonesFile: rig.phonesFile,
      mode,
      connections: CONNECTIONS,
      seconds: span,
    }
    const before = cpuSecondsOf(rig.service.pid)
    const result = await runPhones(context.phonesPath, { ...run, warmup: 0.5, first })
    const cpuSeconds = cpuSecondsOf(rig.service.pid) - before
    first = result.next
    const perSecond = result.visits / result.seconds
    return { perSecond, cpuMicros: (cpuSeconds / (perSecond * (result.seconds + 0.5))) * 1e6, result }
  }
}

function report(done: readonly Round[]): Report {
  const rows = modes.map((mode) => {
    const all = done.map(({ measured }) => measured[mode])
    const rates = all.map(({ perSecond }) => perSecond)
    return [
      names[mode],
      `${short(median(rates))} (${short(Math.min(...rates))}-${short(Math.max(...rates))})`,
      digits(median(all.map(({ cpuMicros }) => cpuMicros))),
      digits(median(all.map(({ result }) => result.p50Ms))),
      digits(median(all.map(({ result }) => result.p99Ms))),
      mode === 'pass' ? `${digits(median(done.map(shareOf)))} x` : '',
    ]
  })
  const signed = done.map(({ signedPerSecond }) => signedPerSecond)
  rows.push(['pkpass alone: built and signed', short(median(signed)), digits(1e6 / median(signed)), '', '', '1.00 x'])
  const failed = done.reduce(
    (sum, { measured }) => sum + modes.reduce((all, mode) => all + trouble(measured[mode]), 0),
    0,
  )
  const head = ['request', 'per second', 'CPU us', 'p50 ms', 'p99 ms', 'of pkpass']
  const foreign = percent(median(done.map((one) => one.foreign)))
  return {
    title: 'Warm connections',
    text: `${markdownTable(head, rows)}\n\nMedians of ${done.length} rounds, the extremes in brackets; ${CONNECTIONS} connections, each with one request under way. The ratio is taken within a round. Foreign CPU time: ${foreign}.`,
    goals: [
      limitGoal('list', median(done.map((one) => one.measured.list.perSecond)), 'at least', MUST.list, '/s'),
      limitGoal('not changed', median(done.map((one) => one.measured.same.perSecond)), 'at least', MUST.same, '/s'),
      limitGoal('fresh passes against pkpass', median(done.map(shareOf)), 'at least', MUST.passShare, ' x'),
      limitGoal('requests that failed', failed, 'at most', 0, ''),
    ],
    data: done,
  }
}

function shareOf({ measured, signedPerSecond }: Round): number {
  return measured.pass.perSecond / signedPerSecond
}

function trouble({ result }: Measured): number {
  return result.turnedAway + result.broken + result.impatient
}
