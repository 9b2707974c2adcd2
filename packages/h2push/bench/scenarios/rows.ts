import { type Client, measure, type Run, sizeLoad } from '../run.ts'
import { type SinkOptions, startSink } from '../sink/sink.ts'
import { countedRuns, hasEnoughCleanRuns, median } from '../statistics.ts'
import { digits, markdownTable, percent, short } from '../table.ts'
import type { Context } from './context.ts'

/** A client and the size of its window. */
export interface Row {
  readonly client: Client
  readonly connections: number
  readonly streams: number
}

/** What came of a row: all runs, and the medians of those that count. */
export interface RowResult extends Row {
  readonly runs: readonly Run[]
  readonly pushesPerSecond: number
  readonly cpuMicros: number
}

const SECONDS_PER_RUN = 2.5
const SECONDS_PER_RUN_QUICK = 1
const ROUNDS = 5
const ROUNDS_QUICK = 3
/** Further rounds for rows with too few clean runs. */
const ROUNDS_MORE = 3

/** Measures rows against one sink, in rounds, so that a busy minute hits all alike. */
export async function measureRows(
  context: Context,
  sinkOptions: Partial<SinkOptions>,
  rows: readonly Row[],
): Promise<readonly RowResult[]> {
  const { sinkPath, certificates, isQuick, progress } = context
  await using sink = await startSink({ ...sinkOptions, path: sinkPath, certificates })
  const seconds = isQuick ? SECONDS_PER_RUN_QUICK : SECONDS_PER_RUN
  const sized = []
  for (const row of rows) {
    progress(`  sizing ${row.client.name}`)
    sized.push({ row, load: await sizeLoad(row.client, { ...row, sink, certificates }, seconds), runs: [] as Run[] })
  }
  const rounds = isQuick ? ROUNDS_QUICK : ROUNDS
  for (let round = 0; round < rounds + ROUNDS_MORE; round += 1) {
    for (const { row, load, runs } of sized) {
      if (round >= rounds && hasEnoughCleanRuns(runs)) continue
      const run = await measure(row.client, load, sink)
      runs.push(run)
      progress(
        `  round ${round + 1}, ${row.client.name}: ${short(run.pushesPerSecond)}/s${run.isClean ? '' : ' (not clean)'}`,
      )
    }
  }
  return sized.map(({ row, runs }) => ({
    ...row,
    runs,
    pushesPerSecond: medianOf(runs, 'pushesPerSecond'),
    cpuMicros: medianOf(runs, 'cpuMicros'),
  }))
}

function medianOf(
  runs: readonly Run[],
  field: keyof Run & ('pushesPerSecond' | 'cpuMicros' | 'sinkCpuMicros' | 'sinkBusy' | 'steal'),
): number {
  return median(countedRuns(runs).map((run) => run[field]))
}

/** The rows as a table, beside each client what the sink and the host did. */
export function rowsTable(results: readonly RowResult[]): string {
  const head = [
    'client',
    'conns x streams',
    'pushes/s median (min-max)',
    'CPU us/push',
    'RSS MB',
    'sink us',
    'sink busy',
    'steal',
    'clean runs',
  ]
  return markdownTable(head, results.map(rowCells))
}

function rowCells({ client, connections, streams, runs, pushesPerSecond, cpuMicros }: RowResult): readonly string[] {
  const counted = countedRuns(runs)
  const rates = counted.map((run) => run.pushesPerSecond)
  const failed = runs.reduce((sum, run) => sum + run.failed + run.hung, 0)
  return [
    failed === 0 ? client.name : `${client.name} (${failed} not accepted)`,
    `${connections} x ${streams}`,
    `${short(pushesPerSecond)} (${short(Math.min(...rates))}-${short(Math.max(...rates))})`,
    digits(cpuMicros),
    Math.max(...counted.map((run) => run.rssMb)).toFixed(0),
    digits(medianOf(runs, 'sinkCpuMicros')),
    percent(medianOf(runs, 'sinkBusy')),
    percent(medianOf(runs, 'steal')),
    `${runs.filter((run) => run.isClean).length} of ${runs.length}`,
  ]
}
