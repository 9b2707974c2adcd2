import type { ReceiptBatchItem } from '@stampede/proto/ledger/v1'
import type { DemoOptions } from '../options.ts'
import { generateHistory } from '../receipts/generate.ts'
import type { PurchaseHistory, Return, Sale } from '../receipts/model.ts'
import type { StoryContext } from './context.ts'
import { chunksOf } from './patience.ts'
import { count } from './say.ts'
import type { StoryState } from './state.ts'
import type { Tills } from './tills.ts'

const batchSize = 200
const lanes = 4
const laneBits = 0x01000193

/** How the purchases are split between what happened before the phones came and what happens before their eyes. */
export interface Split {
  readonly past: readonly (Sale | Return)[]
  readonly live: readonly Sale[]
  /** Returns of live sales. */
  readonly after: readonly Return[]
}

/**
 * The last sale of as many different customers as asked for is live; all else is the past. In a later
 * run on generated data, today's purchases are new; a real file has nothing more to give. What was
 * posted by an earlier run is left out.
 */
export function splitHistory(
  history: PurchaseHistory,
  options: DemoOptions,
  state: StoryState,
  isPosted: (entry: Sale | Return) => boolean,
): Split {
  const isOpen = (entry: Sale | Return): boolean => !isPosted(entry)
  if (state.historyPosted) {
    const past = inOrder([...history.sales, ...history.returns].filter(isOpen))
    return { past, live: laterSales(options, state, Date.now()), after: [] }
  }
  const live = new Set<Sale>()
  const customers = new Set<string>()
  for (const sale of history.sales.toReversed()) {
    if (live.size >= options.live) break
    if (customers.has(sale.customer)) continue
    customers.add(sale.customer)
    if (sale.lines.some((line) => line.amountMinor > 0n)) live.add(sale)
  }
  const isLive = (entry: Return): boolean => live.has(history.sales[entry.saleIndex] as Sale)
  const past = [
    ...history.sales.filter((sale) => !live.has(sale)),
    ...history.returns.filter((entry) => !isLive(entry)),
  ]
  return {
    past: inOrder(past.filter(isOpen)),
    live: [...live].reverse().filter(isOpen),
    after: history.returns.filter((entry) => isLive(entry) && isOpen(entry)),
  }
}

function inOrder(entries: readonly (Sale | Return)[]): readonly (Sale | Return)[] {
  return entries.toSorted((a, b) => a.occurredAt.getTime() - b.occurredAt.getTime())
}

function laterSales(options: DemoOptions, state: StoryState, nowMs: number): readonly Sale[] {
  if (options.receipts !== undefined) return []
  const seed = options.seed + 7_919 * state.runs
  const { sales } = generateHistory({ seed, members: options.members, endMs: nowMs })
  const lastOf = new Map(sales.map((sale) => [sale.customer, sale]))
  return (
    [...lastOf.values()]
      .slice(0, options.live)
      // The instant is in the number: a run that was interrupted here is not repeated, the next has sales of its own.
      .map((sale) => ({ ...sale, number: `${nowMs}-${sale.number}`, occurredAt: new Date(nowMs) }))
  )
}

/** Posts returns of sales that were rung up before the phones' eyes. */
export async function postReturns(tills: Tills, returns: readonly Return[]): Promise<void> {
  for (const batch of chunksOf(returns, batchSize)) await tills.postBatch(batch.map(tills.toItem))
}

/** Posts the past through gRPC in batches, each member's receipts in order. */
export async function postPast(context: StoryContext, tills: Tills, past: readonly (Sale | Return)[]): Promise<void> {
  const { teller } = context
  const startedAt = performance.now()
  let posted = 0
  const byLane = Map.groupBy(past, (entry) => laneOf(entry.customer))
  await Promise.all(
    [...byLane.values()].map(async (entries) => {
      for (const batch of batchesOf(context, entries)) {
        await tills.postBatch(batch.map((entry): ReceiptBatchItem => tills.toItem(entry)))
        posted += batch.length
        teller.progress('posted', posted, past.length)
      }
    }),
  )
  teller.progressEnd()
  const seconds = (performance.now() - startedAt) / 1000
  teller.line(
    `${count(posted)} receipts and returns of the past posted through gRPC: ${count(Math.round(posted / seconds))} per second`,
  )
}

/** Batches in which no return meets its own sale: a return needs the id that the sale's answer brings. */
function* batchesOf(
  { history }: StoryContext,
  entries: readonly (Sale | Return)[],
): Generator<readonly (Sale | Return)[]> {
  let batch: (Sale | Return)[] = []
  for (const entry of entries) {
    const sale = entry.kind === 'return' ? history.sales[entry.saleIndex] : undefined
    if (batch.length >= batchSize || (sale !== undefined && batch.includes(sale))) {
      yield batch
      batch = []
    }
    batch.push(entry)
  }
  if (batch.length > 0) yield batch
}

function laneOf(customer: string): number {
  let hash = 0
  for (let index = 0; index < customer.length; index += 1) hash = Math.imul(hash ^ customer.charCodeAt(index), laneBits)
  return Math.abs(hash) % lanes
}
