import { type Disturbance, median, observe, waitForQuiet } from '@stampede/h2push/bench'
import { PushOutcome } from '@stampede/proto/push/v1'
import type { Dispatcher } from './dispatcher.ts'
import { chunksOf, type Rig } from './rig.ts'
import { cpuSecondsOf, watchRss } from './usage.ts'

/** How long to wait for a quiet machine before a run. */
const QUIET_MS = 3_000

/** What a campaign over one dispatcher or several came to. */
export interface CampaignRun extends Disturbance {
  readonly recipients: number
  /** Recipients whose stored result says accepted. */
  readonly accepted: number
  /** Requests that the sink answered: more than the recipients when some were repeated. */
  readonly answered: number
  /** From the announcement to the last result on the stream. */
  readonly seconds: number
  /** When the brands were announced, Unix milliseconds. */
  readonly startedAtMs: number
  readonly perSecond: number
  /** CPU time per push of all dispatchers together, in microseconds. */
  readonly cpuMicros: number
  /** The same of the sink, and of nats-server. */
  readonly sinkCpuMicros: number
  readonly natsCpuMicros: number
  /** Share of one core that the sink used. */
  readonly sinkBusy: number
  /** Most memory of the first dispatcher, in megabytes. */
  readonly rssMb: number
}

/** Feeds the brands with equal campaigns, then lets the dispatchers send all of them. The stream of results is new then. */
export async function runCampaigns(
  rig: Rig,
  dispatchers: readonly Dispatcher[],
  brands: readonly string[],
  recipientsEach: number,
): Promise<CampaignRun> {
  for (const brand of brands) await rig.feed(brand, recipientsEach)
  await rig.clear()
  await waitForQuiet(QUIET_MS)
  const natsPid = rig.natsServer.pid()
  const pids = dispatchers.map(({ pid }) => pid)
  const cpuOf = () => ({ dispatchers: sum(pids.map(cpuSecondsOf)), nats: cpuSecondsOf(natsPid) })
  const [first = 0] = pids
  const stopRss = watchRss(first)
  const happened = observe([...pids, natsPid, rig.sink.pid])
  const before = cpuOf()
  const startedAtMs = await rig.announce(brands[0] ?? '')
  for (const brand of brands.slice(1)) await rig.announce(brand)
  const ends = await Promise.all(brands.map((brand) => rig.stored(brand, chunksOf(recipientsEach))))
  const after = cpuOf()
  const disturbance = happened()
  const rssMb = await stopRss()
  const stats = await rig.sink.stats()
  const recipients = recipientsEach * brands.length
  const seconds = (Math.max(...ends) - startedAtMs) / 1_000
  const sinkCpuSeconds = stats.cpuUserSeconds + stats.cpuSystemSeconds
  return {
    ...disturbance,
    recipients,
    accepted: await countAccepted(rig),
    answered: stats.responses,
    startedAtMs,
    seconds,
    perSecond: recipients / seconds,
    cpuMicros: ((after.dispatchers - before.dispatchers) / recipients) * 1e6,
    sinkCpuMicros: (sinkCpuSeconds / recipients) * 1e6,
    natsCpuMicros: ((after.nats - before.nats) / recipients) * 1e6,
    sinkBusy: sinkCpuSeconds / seconds,
    rssMb,
  }
}

/** Median of one figure over runs. */
export function medianOf(runs: readonly CampaignRun[], key: keyof CampaignRun): number {
  return median(runs.map((run) => run[key]))
}

async function countAccepted(rig: Rig): Promise<number> {
  let accepted = 0
  for await (const { result } of rig.results())
    for (const outcome of result.outcomes) if (outcome === PushOutcome.PUSH_OUTCOME_ACCEPTED) accepted += 1
  return accepted
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0)
}
