import { bind, CLIENT_CPU, digits, limitGoal, markdownTable, median, SINK_CPU, short } from '@stampede/h2push/bench'
import { type NodeProcess, startNode } from '@stampede/platform/testing'
import { template } from './design.ts'
import { type PhonesResult, runPhones } from './phones.ts'
import { Rig } from './rig.ts'
import type { Context, Report, Scenario } from './scenarios.ts'

const PASSES = 60_000
const CONNECTIONS = 128
const seconds = { full: 8, quick: 5 }
const RUNS = 3
/** How far the published capacity may be from what is measured. */
const CAPACITY_ERROR_MAX = 0.15
/** The capacity is told every two seconds and learned over some of them. */
const LEARN_SECONDS = 12
const IDLE_MS = 6_000
/** A process that has just started is slower: the first phones meet code that is not compiled yet. */
const COLD_SECONDS = 4

interface Published {
  readonly when: string
  readonly perSecond: number
  /** What was measured at that time. */
  readonly measured: number
}

/** One new connection per phone: handshake, list, pass. Beside it the same with a server that does nothing but send as many bytes. */
export const visitsScenario: Scenario = { name: 'visits', run: runVisits }

async function runVisits(context: Context): Promise<Report> {
  const span = context.isQuick ? seconds.quick : seconds.full
  await using rig = await Rig.start({ certificates: context.certificates, template, passes: PASSES })
  const visit = newVisits(context, rig)
  const before = await rig.capacity()
  context.progress('  first phones')
  const cold = rateOf(await visit(COLD_SECONDS))
  context.progress('  saturated')
  await visit(LEARN_SECONDS)
  const saturated = await rig.capacity()
  const visits: PhonesResult[] = []
  for (let run = 0; run < RUNS; run++) visits.push(await visit(span))
  const measured = median(visits.map(rateOf))
  context.progress('  half load')
  await visit(LEARN_SECONDS, measured / 2)
  const half = await rig.capacity()
  context.progress('  idle')
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  const published: Published[] = [
    { when: 'idle, before the first phone', perSecond: before, measured: cold },
    { when: 'saturated', perSecond: saturated, measured },
    { when: 'at half load', perSecond: half, measured },
    { when: 'idle, afterwards', perSecond: await rig.capacity(), measured },
  ]
  context.progress('  plain server')
  // Of a visit, nearly all bytes are the pass.
  const bytes = Math.round((visits[0]?.bytes ?? 0) / Math.max(1, visits[0]?.visits ?? 1))
  await using server = await startPlain(context, bytes)
  const plain: PhonesResult[] = []
  for (let run = 0; run < RUNS; run++) {
    const base = { port: server.ready, phonesFile: rig.phonesFile, connections: CONNECTIONS }
    plain.push(await runPhones(context.phonesPath, { ...base, mode: 'visit', seconds: span }))
  }
  return report(visits, plain, published)
}

function newVisits(context: Context, rig: Rig): (span: number, rate?: number) => Promise<PhonesResult> {
  let first = 0
  return async (span, rate) => {
    const base = { port: rig.webPort, phonesFile: rig.phonesFile, mode: 'visit', first, seconds: span } as const
    const connections = rate === undefined ? CONNECTIONS : CONNECTIONS * 16
    const paced = rate === undefined ? {} : { rate }
    const result = await runPhones(context.phonesPath, { ...base, ...paced, connections })
    first = result.next
    return result
  }
}

/** A server that only sends as many bytes. */
async function startPlain({ certificates }: Context, bytes: number): Promise<NodeProcess<number>> {
  const { cert, key } = certificates.server
  bind(process.pid, CLIENT_CPU)
  const starting = startNode({
    script: new URL('./plain-server.ts', import.meta.url),
    args: [cert, key, String(bytes)],
    env: {},
    readyLine: (line) => {
      const port = /^port (\d+)$/.exec(line)?.[1]
      return port === undefined ? undefined : Number(port)
    },
  })
  bind(process.pid, SINK_CPU)
  return await starting
}

function report(
  visits: readonly PhonesResult[],
  plain: readonly PhonesResult[],
  published: readonly Published[],
): Report {
  const row = (name: string, runs: readonly PhonesResult[]) => [
    name,
    `${short(median(runs.map(rateOf)))} (${short(Math.min(...runs.map(rateOf)))}-${short(Math.max(...runs.map(rateOf)))})`,
    digits(1e6 / median(runs.map(rateOf))),
    digits(median(runs.map(({ p50Ms }) => p50Ms))),
    digits(median(runs.map(({ p99Ms }) => p99Ms))),
  ]
  const rows = [row('pass-render', visits), row('node:https, same bytes, nothing else', plain)]
  const table = markdownTable(['server', 'phones per second', 'us of the core', 'p50 ms', 'p99 ms'], rows)
  const told = published.map(({ when, perSecond, measured }) => [
    when,
    String(perSecond),
    short(measured),
    digits(perSecond / measured),
  ])
  const failed = visits.reduce((sum, run) => sum + run.turnedAway + run.broken + run.impatient, 0)
  return {
    title: 'A new connection per phone',
    text: [
      table,
      '',
      `Handshake, list, pass, close; ${CONNECTIONS} phones at once, medians of ${RUNS} runs. The answer capacity that the service published beside that:`,
      '',
      markdownTable(['when', 'published per second', 'measured', 'published of measured'], told),
    ].join('\n'),
    goals: [
      ...published.map(({ when, perSecond, measured }) =>
        limitGoal(
          `published capacity off, ${when}`,
          Math.abs(perSecond / measured - 1),
          'at most',
          CAPACITY_ERROR_MAX,
          '',
        ),
      ),
      limitGoal('phones that failed', failed, 'at most', 0, ''),
    ],
    data: { visits, plain, published },
  }
}

function rateOf({ visits, seconds: span }: PhonesResult): number {
  return visits / span
}
