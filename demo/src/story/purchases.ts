import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { DemoOptions } from '../options.ts'
import { demoStores } from '../receipts/catalogue.ts'
import { generateHistory } from '../receipts/generate.ts'
import { readHistory } from '../receipts/history.ts'
import type { PurchaseHistory, RejectedRow } from '../receipts/model.ts'
import { count, money, type Teller } from './say.ts'
import type { StoryState } from './state.ts'

/** Reads the file or generates; writes nothing. Throws ReceiptsFileError for a file that cannot be used. */
export async function preparePurchases(options: DemoOptions, state: StoryState): Promise<PurchaseHistory> {
  const { receipts, layout, columns, timeZone, asDated, seed, members } = options
  const nowMs = state.anchorMs
  if (receipts === undefined) return generateHistory({ seed, members, endMs: startOfDay(nowMs) })
  const defaultStoreId = demoStores[0]?.storeId ?? ''
  return readHistory(receipts, { layout, columns, timeZone, asDated, nowMs, defaultStoreId })
}

/** Prints the totals; each rejected row goes by line and reason into a file that is named. */
export function tellPurchases(teller: Teller, options: DemoOptions, history: PurchaseHistory, runFolder: string): void {
  const { totals, rejected } = history
  const cash = money(totals.revenueMinor, options.currency)
  if (options.receipts === undefined) {
    const lines = `${count(totals.linesRead)} lines`
    teller.line(
      `generated from seed ${options.seed}: ${count(totals.receipts)} receipts (${lines}) of ${count(totals.customers)} customers`,
    )
    teller.line(`revenue ${cash}; ${count(history.returns.length)} returns`)
    return
  }
  teller.table([
    [basename(options.receipts), ''],
    ['lines read', count(totals.linesRead)],
    ['receipts', count(totals.receipts)],
    ['customers with a receipt', count(totals.customers)],
    ['customers named in accepted lines', count(totals.customersNamed)],
    ['revenue before cancellations', cash],
    ['free lines kept', count(totals.freeLines)],
    ['cancelling lines matched', count(totals.cancellationsMatched)],
    ['cancelling lines unmatched', count(totals.cancellationsUnmatched)],
    ['rejected lines', count(rejected.length)],
    ...reasonsOf(rejected).map(([reason, rows]) => [`  ${reason}`, count(rows.length)]),
  ])
  if (rejected.length === 0) return
  const file = join(runFolder, 'rejected-rows.csv')
  mkdirSync(runFolder, { recursive: true })
  writeFileSync(file, `line,reason\n${rejected.map(({ line, reason }) => `${line},${reason}\n`).join('')}`)
  teller.line(`every rejected line with its reason: ${file}`)
}

function reasonsOf(rejected: readonly RejectedRow[]): readonly (readonly [string, readonly RejectedRow[]])[] {
  return [...Map.groupBy(rejected, ({ reason }) => reason)].sort(([, a], [, b]) => b.length - a.length)
}

function startOfDay(nowMs: number): number {
  return nowMs - (nowMs % 86_400_000)
}
