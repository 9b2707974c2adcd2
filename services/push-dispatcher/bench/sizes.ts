import { digits, type Goal, limitGoal, markdownTable, percent, short } from '@stampede/h2push/bench'
import { type CampaignRun, medianOf, runCampaigns } from './campaign-run.ts'
import { Rig } from './rig.ts'
import type { Context, Report, Scenario } from './scenarios.ts'

/** Pushes before the measured ones: a process has compiled its hot paths then, and dialled. */
const WARMUP = 1_000_000

/** Campaigns of one size. */
interface Size {
  readonly recipients: number
  /** The small ones make up for their shortness by their number. */
  readonly runs: number
  /** Responses in full TLS records, or one TLS record for each. */
  readonly shape: 'coalesced' | 'record'
}

const sizes: readonly Size[] = [
  { recipients: 100_000, runs: 20, shape: 'coalesced' },
  { recipients: 1_000_000, runs: 3, shape: 'coalesced' },
  { recipients: 5_000_000, runs: 1, shape: 'coalesced' },
  { recipients: 1_000_000, runs: 3, shape: 'record' },
]
const quickSizes: readonly Size[] = [
  { recipients: 100_000, runs: 5, shape: 'coalesced' },
  { recipients: 1_000_000, runs: 1, shape: 'coalesced' },
  { recipients: 1_000_000, runs: 1, shape: 'record' },
]

interface SizeResult {
  readonly size: Size
  readonly runs: readonly CampaignRun[]
}

/** One brand's campaigns of several sizes through one dispatcher: speed, cost per push, memory. */
export const sizesScenario: Scenario = { name: 'sizes', run: runSizes }

async function runSizes(context: Context): Promise<Report> {
  const results: SizeResult[] = []
  for (const size of context.isQuick ? quickSizes : sizes) {
    context.progress(nameOf(size))
    results.push({ size, runs: await runSize(context, size) })
  }
  const rows = results.map(({ size, runs }) => [
    nameOf(size),
    short(medianOf(runs, 'perSecond')),
    digits(costOf(runs)),
    digits(rssOf(runs)),
    digits(medianOf(runs, 'natsCpuMicros')),
    digits(medianOf(runs, 'sinkCpuMicros')),
    percent(medianOf(runs, 'sinkBusy')),
    percent(medianOf(runs, 'foreign')),
  ])
  const head = ['campaign', 'pushes/s', 'CPU us', 'RSS MB', 'NATS us', 'sink us', 'sink busy', 'foreign']
  return {
    title: 'One dispatcher on one core, one brand',
    text: `${markdownTable(head, rows)}\n\nFrom the announcement of the brand to the last result on PUSH_RESULT. CPU per push is the whole dispatcher's, all runs together; RSS is the most that was seen, after a warm-up of ${short(WARMUP)}. nats-server, the sink and the harness share the other core.`,
    goals: goalsOf(results),
    data: results,
  }
}

/** A fresh process for each size, so that its memory is that size's. */
async function runSize({ sinkPath, certificates }: Context, size: Size): Promise<CampaignRun[]> {
  const brands = Array.from({ length: size.runs }, (_, index) => `bench-${index}`)
  await using rig = await Rig.start({ sinkPath, certificates, brands: ['warm', ...brands], shape: size.shape })
  await using dispatcher = await rig.dispatcher()
  await runCampaigns(rig, [dispatcher], ['warm'], WARMUP)
  const runs: CampaignRun[] = []
  for (const brand of brands) runs.push(await runCampaigns(rig, [dispatcher], [brand], size.recipients))
  return runs
}

function nameOf({ recipients, shape }: Size): string {
  return `${short(recipients)}${shape === 'record' ? ', a record each' : ''}`
}

function goalsOf(results: readonly SizeResult[]): readonly Goal[] {
  const coalesced = results.filter(({ size }) => size.shape === 'coalesced')
  const [smallest] = coalesced
  const largest = coalesced.at(-1)
  if (smallest === undefined || largest === undefined) return []
  const names = `${nameOf(largest.size)} against ${nameOf(smallest.size)}`
  const all = results.flatMap(({ runs }) => runs)
  const sum = (of: (run: CampaignRun) => number) => all.reduce((total, run) => total + of(run), 0)
  const missing = sum(({ recipients, accepted }) => recipients - accepted)
  const repeated = sum(({ recipients, answered }) => answered - recipients)
  return [
    ...results.flatMap(({ size, runs }) => [
      limitGoal(`${nameOf(size)}: pushes/s`, medianOf(runs, 'perSecond'), 'at least', 100_000, ''),
      limitGoal(`${nameOf(size)}: CPU per push`, costOf(runs), 'at most', 10, ' us'),
    ]),
    limitGoal(`cost per push, ${names}`, costOf(largest.runs) / costOf(smallest.runs), 'at most', 1.1, ' x'),
    limitGoal(`memory, ${names}`, rssOf(largest.runs) / rssOf(smallest.runs), 'at most', 1.1, ' x'),
    limitGoal('recipients without an accepted result', missing, 'at most', 0, ''),
    limitGoal('pushes that the sink answered beyond that', repeated, 'at most', 0, ''),
  ]
}

/** Over all runs together: what a short run puts off, such as collecting garbage, the next one pays. */
function costOf(runs: readonly CampaignRun[]): number {
  const micros = runs.reduce((sum, { cpuMicros, recipients }) => sum + cpuMicros * recipients, 0)
  return micros / runs.reduce((sum, { recipients }) => sum + recipients, 0)
}

function rssOf(runs: readonly CampaignRun[]): number {
  return Math.max(...runs.map(({ rssMb }) => rssMb))
}
