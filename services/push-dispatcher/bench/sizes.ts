import { digits, type Goal, isClean, limitGoal, markdownTable, median, percent, short } from '@stampede/h2push/bench'
import { type CampaignRun, runCampaigns } from './campaign-run.ts'
import { Rig } from './rig.ts'
import type { Context, Report, Scenario } from './scenarios.ts'

/** Pushes before the measured ones: a process has compiled its hot paths then, and dialled. */
const WARMUP = 1_000_000

/** Sizes of campaigns, and how often each is run. The small ones make up for their shortness by their number. */
const sizes: readonly (readonly [recipients: number, runs: number])[] = [
  [100_000, 20],
  [1_000_000, 3],
  [5_000_000, 1],
]
const quickSizes: typeof sizes = [
  [100_000, 5],
  [1_000_000, 1],
]

interface SizeResult {
  readonly recipients: number
  readonly runs: readonly CampaignRun[]
}

/** One brand's campaigns of several sizes through one dispatcher: speed, cost per push, memory. */
export const sizesScenario: Scenario = { name: 'sizes', run: runSizes }

async function runSizes(context: Context): Promise<Report> {
  const results: SizeResult[] = []
  for (const [recipients, runs] of context.isQuick ? quickSizes : sizes) {
    context.progress(`${short(recipients)} recipients`)
    results.push({ recipients, runs: await runSize(context, recipients, runs) })
  }
  const rows = results.map(({ recipients, runs }) => [
    short(recipients),
    short(medianOf(runs, 'perSecond')),
    digits(costOf(runs)),
    digits(rssOf(runs)),
    digits(medianOf(runs, 'natsCpuMicros')),
    digits(medianOf(runs, 'sinkCpuMicros')),
    percent(medianOf(runs, 'sinkBusy')),
    `${runs.filter(isClean).length} of ${runs.length}`,
  ])
  const head = ['recipients', 'pushes/s', 'CPU us', 'RSS MB', 'NATS us', 'sink us', 'sink busy', 'clean runs']
  return {
    title: 'One dispatcher on one core, one brand',
    text: `${markdownTable(head, rows)}\n\nFrom the announcement of the brand to the last result on PUSH_RESULT. CPU per push is the whole dispatcher's, all runs together; RSS is the most that was seen, after a warm-up of ${short(WARMUP)}. nats-server, the sink and the harness share the other core.`,
    goals: goalsOf(results),
    data: results,
  }
}

/** A fresh process for each size, so that its memory is that size's. */
async function runSize({ sinkPath, certificates }: Context, recipients: number, count: number): Promise<CampaignRun[]> {
  const brands = Array.from({ length: count }, (_, index) => `bench-${index}`)
  await using rig = await Rig.start({ sinkPath, certificates, brands: ['warm', ...brands] })
  await using dispatcher = await rig.dispatcher()
  await runCampaigns(rig, [dispatcher], ['warm'], WARMUP)
  const runs: CampaignRun[] = []
  for (const brand of brands) runs.push(await runCampaigns(rig, [dispatcher], [brand], recipients))
  return runs
}

function goalsOf(results: readonly SizeResult[]): readonly Goal[] {
  const [smallest] = results
  const largest = results.at(-1)
  if (smallest === undefined || largest === undefined) return []
  const names = `${short(largest.recipients)} against ${short(smallest.recipients)}`
  const all = results.flatMap(({ runs }) => runs)
  const missing = all.reduce((sum, { recipients, accepted }) => sum + recipients - accepted, 0)
  return [
    ...results.flatMap(({ recipients, runs }) => [
      limitGoal(`${short(recipients)} recipients, pushes/s`, medianOf(runs, 'perSecond'), 'at least', 100_000, ''),
      limitGoal(`${short(recipients)} recipients, CPU per push`, costOf(runs), 'at most', 10, ' us'),
    ]),
    limitGoal(`cost per push, ${names}`, costOf(largest.runs) / costOf(smallest.runs), 'at most', 1.1, ' x'),
    limitGoal(`memory, ${names}`, rssOf(largest.runs) / rssOf(smallest.runs), 'at most', 1.1, ' x'),
    limitGoal('recipients without an accepted result', missing, 'at most', 0, ''),
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

function medianOf(runs: readonly CampaignRun[], key: keyof CampaignRun): number {
  return median(runs.map((run) => run[key]))
}
