import { digits, type Goal, limitGoal, markdownTable, percent, short } from '@stampede/h2push/bench'
import { type CampaignRun, medianOf, runCampaigns } from './campaign-run.ts'
import type { Dispatcher } from './dispatcher.ts'
import { Rig } from './rig.ts'
import type { Context, Report, Scenario } from './scenarios.ts'

const BRANDS = 8
/** Runs that are measured, after one that is not: by then each brand has the connections that it needs. */
const RUNS = 3

/** A sink, and the work that is done on it. */
interface Setting {
  readonly name: string
  readonly latencyMs: number
  /** Streams per connection. */
  readonly streams: number
  /** Recipients of each brand. */
  readonly recipients: number
}

/** What so many replicas did with the work of a setting. */
interface ReplicaResult {
  readonly runs: readonly CampaignRun[]
  /** Part of each replica in the accepted pushes of all runs. */
  readonly shares: readonly number[]
}

interface Compared {
  readonly setting: Setting
  readonly one: ReplicaResult
  readonly two: ReplicaResult
}

/** Where the answer takes 20 ms, streams / latency is the limit and not the core, as it is with Apple. */
const settings: readonly Setting[] = [
  { name: 'no latency', latencyMs: 0, streams: 1_000, recipients: 200_000 },
  { name: '20 ms', latencyMs: 20, streams: 1_000, recipients: 100_000 },
]

/** The same work for one replica and for two, which share one core. */
export const replicasScenario: Scenario = { name: 'replicas', run: runReplicas }

async function runReplicas(context: Context): Promise<Report> {
  const all: Compared[] = []
  for (const full of settings) {
    const setting = context.isQuick ? { ...full, recipients: full.recipients / 2 } : full
    context.progress(`${setting.name}, one replica`)
    const one = await runWith(context, setting, 1)
    context.progress(`${setting.name}, two replicas`)
    all.push({ setting, one, two: await runWith(context, setting, 2) })
  }
  const rows = all.flatMap(({ setting, one, two }) => [rowOf(setting, one), rowOf(setting, two)])
  const head = ['sink', 'replicas', 'pushes/s', 'shares', 'CPU us', 'sink us', 'sink busy', 'NATS us', 'foreign']
  return {
    title: `One and two replicas, ${BRANDS} brands`,
    text: `${markdownTable(head, rows)}\n\nAll replicas share one core: without latency two of them carry no more than one. At 20 ms the sink allows ${settings[1]?.streams} streams per connection, so that streams / latency is the limit, as with Apple.`,
    goals: goalsOf(all),
    data: all,
  }
}

async function runWith(context: Context, setting: Setting, replicas: number): Promise<ReplicaResult> {
  const { sinkPath, certificates, isQuick } = context
  const { latencyMs, streams, recipients } = setting
  const brands = Array.from({ length: BRANDS }, (_, index) => `brand-${index}`)
  await using rig = await Rig.start({ sinkPath, certificates, brands, latencyMs, streams })
  await using stack = new AsyncDisposableStack()
  const dispatchers: Dispatcher[] = []
  for (let index = 0; index < replicas; index++) dispatchers.push(stack.use(await rig.dispatcher()))
  for (const dispatcher of dispatchers) await dispatcher.sees(replicas)
  await runCampaigns(rig, dispatchers, brands, recipients)
  const accepted = () => Promise.all(dispatchers.map((one) => one.metric('outcomes_total', /outcome="accepted"/)))
  const before = await accepted()
  const runs: CampaignRun[] = []
  while (runs.length < (isQuick ? 1 : RUNS)) {
    await rig.withdraw(brands)
    runs.push(await runCampaigns(rig, dispatchers, brands, recipients))
  }
  const after = await accepted()
  const all = runs.reduce((sum, run) => sum + run.recipients, 0)
  return { runs, shares: after.map((count, index) => (count - (before[index] ?? 0)) / all) }
}

function rowOf({ name }: Setting, { runs, shares }: ReplicaResult): readonly string[] {
  return [
    name,
    String(shares.length),
    short(medianOf(runs, 'perSecond')),
    shares.map(percent).join(' + '),
    digits(medianOf(runs, 'cpuMicros')),
    digits(medianOf(runs, 'sinkCpuMicros')),
    percent(medianOf(runs, 'sinkBusy')),
    digits(medianOf(runs, 'natsCpuMicros')),
    percent(medianOf(runs, 'foreign')),
  ]
}

function goalsOf(all: readonly Compared[]): readonly Goal[] {
  const runs = all.flatMap(({ one, two }) => [...one.runs, ...two.runs])
  const missing = runs.reduce((sum, run) => sum + run.recipients - run.accepted, 0)
  const ratioOf = ({ one, two }: Compared) => medianOf(two.runs, 'perSecond') / medianOf(one.runs, 'perSecond')
  return [
    ...all
      .filter(({ setting }) => setting.latencyMs > 0)
      .map((one) => limitGoal(`two replicas against one, ${one.setting.name}`, ratioOf(one), 'at least', 1.8, ' x')),
    limitGoal('recipients without an accepted result', missing, 'at most', 0, ''),
  ]
}
