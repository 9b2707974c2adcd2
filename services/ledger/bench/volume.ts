import type { BenchContext, Report, Scenario } from '@stampede/h2push/bench'
import { digits, limitGoal, markdownTable, median, short } from '@stampede/h2push/bench'
import { type Database, systemClock } from '@stampede/platform'
import { retireMonths } from '../src/store/retention.ts'
import { verifyLedger } from '../src/verify.ts'
import { FILLED_MONTHS, fillReceipts, RECEIPTS_EACH } from './fill.ts'
import { closedLoop, type LoadResult } from './load.ts'
import { BRANDS, itemOf, newReceipts, type Rig, startRig } from './rig.ts'

/** A tenth of the volume first, then all of it; a hundredth of both where nobody asks for all. About 13 GB on disk. */
const RECEIPTS = process.env['STAMPEDE_FULL'] === '1' ? 10_000_000 : 100_000
const CALLERS = 256
const KEPT_MONTHS = 6
/** Times slower than with a tenth at most. */
const FLAT = 1.1
/** Windows on an empty ledger and on the filled one by turns, so that what else the machine does meets both alike. */
const WINDOWS = { full: 7, quick: 3 }
const WINDOW_SECONDS = 4

interface Point {
  readonly name: string
  readonly own: readonly LoadResult[]
  /** An empty ledger beside it: what the machine gives at that moment. */
  readonly empty: readonly LoadResult[]
  readonly gigabytes: number
}

/** Whether a ledger that holds 14 months of receipts is as fast as a young one, and as fast after old months went. */
export const volumeScenario: Scenario = {
  name: 'volume',
  async run(context: BenchContext): Promise<Report> {
    await using rig = await startRig()
    await using young = await startRig()
    const now = systemClock.now()
    const points: Point[] = []
    const members = RECEIPTS / RECEIPTS_EACH
    const measured = async (name: string, filled: number) =>
      void points.push(await measure(context, { name, rig, young, members: filled }))
    const steps: string[] = []
    const timed = async (name: string, run: () => Promise<unknown>) => {
      const startMs = performance.now()
      context.progress(`  ${name}`)
      await run()
      steps.push(`${name}: ${digits((performance.now() - startMs) / 1_000)} s`)
    }
    const fill = (from: number, to: number) => async () => {
      await fillReceipts(rig.database, { from, to, now })
      await rig.database.query('CHECKPOINT')
    }
    await timed(`filling ${short(RECEIPTS / 10)}`, fill(0, members / 10))
    await analyze(rig.database)
    await measured(`${short(RECEIPTS / 10)} receipts`, members / 10)
    await timed(`filling ${short(RECEIPTS)}`, fill(members / 10, members))
    await analyze(rig.database)
    await measured(`${short(RECEIPTS)} receipts`, members)
    let detached = 0
    await timed('detaching', async () => {
      const retired = await retireMonths(rig.database, now, { keptMonths: KEPT_MONTHS })
      detached = retired.length
    })
    await measured(`${detached} tables of ${FILLED_MONTHS} months detached`, members)
    let books = ''
    await timed('verifying', async () => {
      books = await verified(rig.database)
    })
    return report(points, steps, books)
  },
}

async function analyze(database: Database): Promise<void> {
  for (const table of ['account', 'lot', 'receipt', 'posting', 'idempotency']) await database.query(`ANALYZE ${table}`)
}

interface Measured {
  readonly name: string
  readonly rig: Rig
  readonly young: Rig
  readonly members: number
}

async function measure(context: BenchContext, { name, rig, young, members }: Measured): Promise<Point> {
  const own: LoadResult[] = []
  const empty: LoadResult[] = []
  for (let window = 0; window < (context.isQuick ? WINDOWS.quick : WINDOWS.full); window += 1) {
    context.progress(`  ${name}, window ${window}`)
    empty.push(await load(young, `empty beside ${name} ${window}`, members))
    own.push(await load(rig, `${name} ${window}`, members))
  }
  const [size] = await rig.database.query<{ bytes: bigint }>('SELECT pg_database_size(current_database()) AS bytes')
  return { name, own, empty, gigabytes: Number(size?.bytes ?? 0n) / 1e9 }
}

async function load({ committer, emptyOutbox }: Rig, run: string, members: number): Promise<LoadResult> {
  const receipt = newReceipts(run, BRANDS, members)
  const call = async (index: number): Promise<void> => {
    const [result] = await committer.submit([itemOf(receipt(index))])
    if (result?.ok !== true) throw result?.error ?? new Error('a receipt has no answer')
  }
  const result = await closedLoop({ callers: CALLERS, warmupSeconds: 1, seconds: WINDOW_SECONDS, call })
  await emptyOutbox()
  return result
}

async function verified(database: Database): Promise<string> {
  const result = await verifyLedger(database)
  if (!result.ok) throw new Error(`the books are false: ${result.invariant}`)
  return `${short(Number(result.transactions))} postings and ${short(Number(result.receipts))} receipts recomputed`
}

function report(points: readonly Point[], steps: readonly string[], books: string): Report {
  const [tenth, whole, after] = points
  const middle = (results: readonly LoadResult[], of: keyof LoadResult) => median(results.map((result) => result[of]))
  const relative = ({ own, empty }: Point) =>
    median(own.map(({ perSecond }, window) => perSecond / (empty[window]?.perSecond ?? Number.NaN)))
  const slower = (point: Point | undefined) =>
    tenth === undefined || point === undefined ? Number.NaN : relative(tenth) / relative(point)
  const table = markdownTable(
    ['ledger with', 'receipts/s', 'p50 ms', 'p99 ms', 'empty beside it', 'of that', 'GB'],
    points.map((point) => [
      point.name,
      short(middle(point.own, 'perSecond')),
      digits(middle(point.own, 'p50Ms')),
      digits(middle(point.own, 'p99Ms')),
      short(middle(point.empty, 'perSecond')),
      digits(relative(point)),
      digits(point.gigabytes),
    ]),
  )
  return {
    title: 'Volume',
    text: `${table}\n\n${CALLERS} callers, random members; medians of windows of ${WINDOW_SECONDS} s. ${steps.join('; ')}. ${books}.`,
    goals: [
      limitGoal('slower with all receipts than with a tenth', slower(whole), 'at most', FLAT, ' x'),
      limitGoal('slower after months were detached', slower(after), 'at most', FLAT, ' x'),
    ],
    data: points,
  }
}
