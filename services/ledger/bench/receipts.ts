import type { BenchContext, Report, Scenario } from '@stampede/h2push/bench'
import { digits, limitGoal, markdownTable, short } from '@stampede/h2push/bench'
import { flushItems } from '../src/flush/flush.ts'
import type { ItemResult } from '../src/flush/item.ts'
import { closedLoop, type LoadResult } from './load.ts'
import { BRANDS, itemOf, newReceipts, POOL_SIZE, type Rig, startRig } from './rig.ts'

const CALLERS = 256
const seconds = { full: 15, quick: 5 }
const MUST = { ratio: 4, hot: 0.8, single: 0.3, perSecond: 15_000, p99Ms: 60 }

interface Row {
  readonly name: string
  readonly result: LoadResult
}

/** Receipts with lots, allocations, natural keys, stored answers and outbox: in groups, one by one, and for one brand. */
export const receiptsScenario: Scenario = {
  name: 'receipts',
  async run(context: BenchContext): Promise<Report> {
    await using rig = await startRig()
    const measure = newMeasure(context, rig)
    const rows: Row[] = []
    const row = async (name: string, brands: number, callers: number, post: Post) =>
      void rows.push({ name, result: await measure(name, brands, callers, post) })
    const grouped: Post = async (item) => (await rig.committer.submit([item]))[0]
    const alone: Post = async (item) => (await flushItems(rig.flushContext, [item]))[0]
    await row('group commit', BRANDS, CALLERS, grouped)
    await row(`a transaction each, ${POOL_SIZE} connections`, BRANDS, CALLERS, alone)
    await row('group commit, all of one brand', 1, CALLERS, grouped)
    await row('group commit, 1,024 callers', BRANDS, 1_024, grouped)
    await row('group commit, 1 caller', BRANDS, 1, grouped)
    return report(rows)
  },
}

type Post = (item: ReturnType<typeof itemOf>) => Promise<ItemResult | undefined>

function newMeasure(context: BenchContext, rig: Rig) {
  const span = context.isQuick ? seconds.quick : seconds.full
  return async (name: string, brands: number, callers: number, post: Post): Promise<LoadResult> => {
    context.progress(`  ${name}`)
    const receipt = newReceipts(name, brands)
    const call = async (index: number): Promise<void> => {
      const result = await post(itemOf(receipt(index)))
      if (result?.ok !== true) throw result?.error ?? new Error('a receipt has no answer')
    }
    const result = await closedLoop({ callers, warmupSeconds: 2, seconds: span, call })
    await rig.emptyOutbox()
    return result
  }
}

function report(rows: readonly Row[]): Report {
  const [grouped, alone, hot, , single] = rows.map(({ result }) => result)
  const rate = (result: LoadResult | undefined) => result?.perSecond ?? 0
  const table = markdownTable(
    ['path', 'receipts/s', 'p50 ms', 'p99 ms', 'of a transaction each'],
    rows.map(({ name, result }) => [
      name,
      short(result.perSecond),
      digits(result.p50Ms),
      digits(result.p99Ms),
      `${digits(result.perSecond / rate(alone))} x`,
    ]),
  )
  return {
    title: 'Receipts',
    text: `${table}\n\n${CALLERS} callers where nothing else is said, each of which waits for its own receipt; three lines, points earned into a lot, events in the outbox.`,
    goals: [
      limitGoal('group commit against a transaction each', rate(grouped) / rate(alone), 'at least', MUST.ratio, ' x'),
      limitGoal('one brand against twenty', rate(hot) / rate(grouped), 'at least', MUST.hot, ' x'),
      // A look-up that reads whole indexes shows here first: groups hide it.
      limitGoal('one caller against 34 connections', rate(single) / rate(alone), 'at least', MUST.single, ' x'),
      limitGoal('receipts (aim)', rate(grouped), 'at least', MUST.perSecond, '/s'),
      limitGoal('p99 (aim)', grouped?.p99Ms ?? 0, 'at most', MUST.p99Ms, ' ms'),
    ],
    data: rows,
  }
}
