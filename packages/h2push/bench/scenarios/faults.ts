import { setTimeout as sleep } from 'node:timers/promises'
import { type Sink, type SinkStats, startSink } from '../sink/sink.ts'
import { markdownTable, short } from '../table.ts'
import type { Context, Goal, Report, Scenario } from './context.ts'
import { limitGoal } from './goals.ts'
import { type LoadResult, SteadyLoad } from './steady-load.ts'

const LATENCY_MS = 20
const BEFORE_MS = 1_500
const AFTER_MS = 3_000
/** The first moments are growth, not the normal rate. */
const SETTLE_MS = 500
const RECOVERY_MAX_MS = 2_000

/** What is done to the client; resolves when the cause is gone, from when on it is to recover. */
interface Fault {
  readonly name: string
  /** Whether pushes may be processed twice: only where the client cannot know. */
  readonly mayRepeat: boolean
  cause(sink: Sink, load: SteadyLoad, context: Context): Promise<void>
}

const faults: readonly Fault[] = [
  {
    name: 'stream limit 1000 -> 1 -> 1000',
    mayRepeat: false,
    cause: async (sink) => {
      sink.setStreams(1)
      await sleep(500)
      sink.setStreams(1000)
    },
  },
  { name: 'RST storm: 20,000 streams refused', mayRepeat: false, cause: async (sink) => sink.refuseNext(20_000) },
  { name: 'all sockets half-open', mayRepeat: true, cause: async (sink) => sink.stall() },
  { name: '429 burst: 20,000', mayRepeat: false, cause: async (sink) => sink.tooManyNext(20_000) },
  {
    name: 'client certificate replaced',
    mayRepeat: false,
    cause: async (_sink, load, { certificates }) => load.renew(certificates, certificates.clients[1]),
  },
]

interface FaultResult {
  readonly fault: string
  readonly load: LoadResult
  readonly sink: SinkStats
  readonly normalPerSecond: number
  /** Undefined: not within the time given. */
  readonly recoveredAfterMs: number | undefined
}

/** Faults under a steady load of ours: nothing may be lost, and it must run again soon. */
export const faultScenario: Scenario = {
  name: 'faults',
  run: async (context) => {
    const results: FaultResult[] = []
    const goals: Goal[] = []
    for (const fault of faults) {
      context.progress(`  ${fault.name}`)
      const result = await endure(context, fault)
      results.push(result)
      goals.push(...goalsOf(fault, result))
    }
    return { title: 'Faults', text: tableOf(results), goals, data: results } satisfies Report
  },
}

async function endure(context: Context, fault: Fault): Promise<FaultResult> {
  const { sinkPath: path, certificates } = context
  const options = { path, certificates, latencyMs: LATENCY_MS, verify: true, clientCertificates: true }
  await using sink = await startSink(options)
  await using load = new SteadyLoad(sink.port, certificates)
  const startedAtMs = Date.now()
  await sleep(BEFORE_MS)
  await fault.cause(sink, load, context)
  const causedAtMs = Date.now()
  await sleep(AFTER_MS)
  const untilMs = Date.now()
  const ended = await load.end()
  // The last second before; a fault that takes time is not part of it.
  const normalPerSecond = load.rate(startedAtMs + SETTLE_MS, startedAtMs + BEFORE_MS)
  const recoveredAfterMs = load.recoveredAfterMs(normalPerSecond, causedAtMs, untilMs)
  return { fault: fault.name, load: ended, sink: await sink.stats(), normalPerSecond, recoveredAfterMs }
}

function goalsOf({ name, mayRepeat }: Fault, { load, sink, recoveredAfterMs }: FaultResult): readonly Goal[] {
  const lost = load.pushes - Math.min(load.accepted, sink.distinct ?? 0)
  const twiceMax = mayRepeat ? load.unknown : 0
  return [
    limitGoal(`${name}: lost`, lost, 'at most', 0, ''),
    limitGoal(`${name}: processed twice`, sink.processedTwice ?? 0, 'at most', twiceMax, ''),
    limitGoal(`${name}: recovers`, recoveredAfterMs ?? AFTER_MS, 'at most', RECOVERY_MAX_MS, ' ms'),
  ]
}

function tableOf(results: readonly FaultResult[]): string {
  const head = [
    'fault',
    'rate before',
    'back at 80 % after',
    'pushes',
    'accepted',
    'pending',
    'unknown',
    'not processed',
    '429',
    'processed twice',
    'by certificate',
  ]
  const cells = results.map(({ fault, load, sink, normalPerSecond, recoveredAfterMs }) => [
    fault,
    `${short(normalPerSecond)}/s`,
    recoveredAfterMs === undefined ? 'never' : recoveredAfterMs === 0 ? 'no dip' : `${recoveredAfterMs} ms`,
    ...[load.pushes, load.accepted, load.pending, load.unknown, load.notProcessed, load.tooMany].map(String),
    String(sink.processedTwice),
    Object.values(sink.certificates).map(short).join(' + '),
  ])
  const note = `2 connections, 1000 streams each, ${LATENCY_MS} ms latency; the caller repeats what was unknown or answered 429. Unknown pushes may have been processed: they are counted apart.`
  return `${markdownTable(head, cells)}\n\n${note}`
}
