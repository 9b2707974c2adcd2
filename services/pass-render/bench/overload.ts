import { setTimeout as sleep } from 'node:timers/promises'
import { digits, limitGoal, markdownTable, percent, short } from '@stampede/h2push/bench'
import { template } from './design.ts'
import { type PhonesResult, runPhones } from './phones.ts'
import { Rig } from './rig.ts'
import type { Context, Report, Scenario } from './scenarios.ts'
import { rssMbOf } from './usage.ts'

const PASSES = 60_000
/** Phones that come, as a multiple of what the service can answer. */
const OVERLOAD = 3
const CONNECTIONS = 64
const WARMUP_SECONDS = 8
const MEASURE_SECONDS = 5
const seconds = { full: 60, quick: 20 }
/** Sockets of the load generator: phones that wait. */
const MAX_PHONES = 8_192
/** Seconds after which a phone gives up. */
const PATIENCE_SECONDS = 10
const SAMPLE_MS = 500
/** 1.5 s for the handshake, 1.5 s for the signature, and what the work itself takes. */
const LATENCY_MAX_MS = 4_000
const MUST = { goodput: 0.9, memory: 1.1 }

/** Three times as many phones as can be answered, for a long time. */
export const overloadScenario: Scenario = { name: 'overload', run: runOverload }

async function runOverload(context: Context): Promise<Report> {
  await using rig = await Rig.start({ certificates: context.certificates, template, passes: PASSES })
  let first = 0
  const come = async (span: number, connections: number, more: { rate?: number; patience?: number }) => {
    const base = { port: rig.webPort, phonesFile: rig.phonesFile, mode: 'visit', first, connections } as const
    const result = await runPhones(context.phonesPath, { ...base, ...more, seconds: span })
    first = result.next
    return result
  }
  await come(WARMUP_SECONDS, CONNECTIONS, {})
  const limit = rateOf(await come(MEASURE_SECONDS, CONNECTIONS, {}))
  const span = context.isQuick ? seconds.quick : seconds.full
  context.progress(`  ${OVERLOAD} x ${Math.round(limit)} phones per second`)
  const samples = sampleRss(rig.service.pid)
  const result = await come(span, MAX_PHONES, { rate: limit * OVERLOAD, patience: PATIENCE_SECONDS })
  const rssMb = await samples()
  const published = await rig.capacity()
  const after = rateOf(await come(MEASURE_SECONDS, CONNECTIONS, {}))
  return report({ limit, result, rssMb, published, after })
}

interface Outcome {
  /** Visits per second at the limit, just before. */
  readonly limit: number
  readonly result: PhonesResult
  readonly rssMb: readonly number[]
  readonly published: number
  /** Visits per second at the limit, just afterwards. */
  readonly after: number
}

function sampleRss(pid: number): () => Promise<readonly number[]> {
  const stopping = new AbortController()
  const samples: number[] = []
  const sampling = (async () => {
    while (!stopping.signal.aborted) {
      samples.push(rssMbOf(pid))
      await sleep(SAMPLE_MS, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  })()
  return async () => {
    stopping.abort()
    await sampling
    return samples
  }
}

function report(outcome: Outcome): Report {
  const { limit, result, rssMb, published, after } = outcome
  const goodput = rateOf(result) / limit
  const third = Math.floor(rssMb.length / 3)
  const [early, late] = [Math.max(...rssMb.slice(0, third)), Math.max(...rssMb.slice(-third))]
  const came = limit * OVERLOAD * result.seconds
  const row = [
    short(limit),
    short(came / result.seconds),
    short(rateOf(result)),
    `${digits(result.p50Ms)} / ${digits(result.p99Ms)} / ${digits(result.maxMs)}`,
    percent(result.turnedAway / came),
    percent(result.broken / came),
    percent((result.impatient + result.unstarted) / came),
    `${Math.round(early)} / ${Math.round(late)}`,
    short(after),
  ]
  const head = [
    'limit/s',
    'coming/s',
    'answered/s',
    'p50 / p99 / max ms',
    '503',
    'cut off',
    'waited in vain',
    'RSS MB',
    'limit after',
  ]
  return {
    title: `${OVERLOAD} times as many phones as can be answered`,
    text: `${markdownTable(head, [row])}\n\nOpen loop for ${Math.round(result.seconds)} s, a new connection per phone; nobody tries again. Latency is that of whole visits from the first packet. RSS is the most of the first and of the last third. The capacity published in the end was ${published}.`,
    goals: [
      limitGoal('visits answered, of the limit', goodput, 'at least', MUST.goodput, ' x'),
      limitGoal('longest visit that was answered', result.maxMs, 'at most', LATENCY_MAX_MS, ' ms'),
      limitGoal('503 without Retry-After', result.turnedAway - result.retryAfter, 'at most', 0, ''),
      limitGoal('phones told when to come again, per second', result.retryAfter / result.seconds, 'at least', 1, ''),
      limitGoal('memory, last third against first', late / early, 'at most', MUST.memory, ' x'),
      limitGoal('the limit afterwards against before', after / limit, 'at least', MUST.goodput, ' x'),
    ],
    data: outcome,
  }
}

function rateOf({ visits, seconds: span }: PhonesResult): number {
  return visits / span
}
