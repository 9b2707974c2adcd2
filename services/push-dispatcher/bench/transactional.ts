import { setTimeout as sleep } from 'node:timers/promises'
import { digits, limitGoal, markdownTable, median, short } from '@stampede/h2push/bench'
import { subjects } from '@stampede/platform'
import { encodeChunk } from './campaign.ts'
import { type CampaignRun, runCampaigns } from './campaign-run.ts'
import { Rig } from './rig.ts'
import type { Context, Report, Scenario } from './scenarios.ts'

const WARMUP = 500_000
const RECIPIENTS = 2_000_000
const QUICK_RECIPIENTS = 500_000
/** Campaigns, one after another: a single one is over before there are enough transactional pushes for a p99. */
const CAMPAIGNS = 5
const QUICK_CAMPAIGNS = 2
/** Between two transactional pushes, in milliseconds. */
const EVERY_MS = 50
const P99_MAX_MS = 250
/** How long the last ones may take. */
const lateMs = 2_000

/** A transactional push every 50 ms while a campaign of the same brand runs at full speed. */
export const transactionalScenario: Scenario = { name: 'tx', run: runTransactional }

async function runTransactional({ sinkPath, certificates, isQuick, progress }: Context): Promise<Report> {
  const recipients = isQuick ? QUICK_RECIPIENTS : RECIPIENTS
  const brands = Array.from({ length: isQuick ? QUICK_CAMPAIGNS : CAMPAIGNS }, (_, index) => `bench-${index}`)
  await using rig = await Rig.start({ sinkPath, certificates, brands: ['warm', ...brands] })
  await using dispatcher = await rig.dispatcher()
  await runCampaigns(rig, [dispatcher], ['warm'], WARMUP)
  const runs: CampaignRun[] = []
  const latencies: number[] = []
  for (const brand of brands) {
    progress(`transactional pushes during ${short(recipients)}`)
    const stopping = new AbortController()
    const sending = sendTransactional(rig, brand, stopping.signal)
    const run = await runCampaigns(rig, [dispatcher], [brand], recipients).finally(() => stopping.abort())
    runs.push(run)
    const sentAtMs = await sending
    await sleep(lateMs)
    latencies.push(...(await acceptLatencies(rig, sentAtMs, run)))
  }
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? NaN
  const bulk = median(runs.map(({ perSecond }) => perSecond))
  const cells = [short(bulk), String(latencies.length), ...[0.5, 0.99, 1].map((share) => digits(at(share)))]
  return {
    title: `A transactional push every ${EVERY_MS} ms during a campaign to ${short(recipients)}`,
    text: `${markdownTable(['bulk pushes/s', 'pushes', 'p50 ms', 'p99 ms', 'max ms'], [cells])}\n\nFrom the making of the chunk, before it is published, to the answer of the sink; both lanes of one brand.`,
    goals: [limitGoal('accepted, p99', at(0.99), 'at most', P99_MAX_MS, ' ms')],
    data: { runs, latencies },
  }
}

/** Returns when each was made, by chunk id, in Unix milliseconds. */
async function sendTransactional(rig: Rig, brand: string, stop: AbortSignal): Promise<ReadonlyMap<string, number>> {
  const sentAtMs = new Map<string, number>()
  for (let index = 0; !stop.aborted; index++) {
    const chunkId = `tx-${brand}-${index}`
    sentAtMs.set(chunkId, Date.now())
    await rig.nats.jetstream.publish(subjects.pushTx(brand), encodeChunk(brand, chunkId, index, 1))
    await sleep(EVERY_MS, undefined, { signal: stop }).catch(() => undefined)
  }
  return sentAtMs
}

/** Of what was sent while the campaign ran, in milliseconds. */
async function acceptLatencies(
  rig: Rig,
  sentAtMs: ReadonlyMap<string, number>,
  { startedAtMs, seconds }: CampaignRun,
): Promise<readonly number[]> {
  const latencies: number[] = []
  for await (const { result } of rig.results()) {
    const atMs = sentAtMs.get(result.chunkId)
    if (atMs === undefined || atMs < startedAtMs || atMs > startedAtMs + seconds * 1_000) continue
    latencies.push(Number(result.atMs[0]) - atMs)
  }
  return latencies
}
