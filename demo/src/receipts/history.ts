import { type AcceptedRow, acceptRow } from './assemble.ts'
import { matchCancellations } from './cancellations.ts'
import { daysUntilYesterday, toInstant, toLocalMs } from './dates.ts'
import { ReceiptsFileError } from './errors.ts'
import type { Customer, PurchaseHistory, RejectedRow, Sale, SaleLine } from './model.ts'
import { type ReadOptions, readRows } from './read.ts'

/** How a file becomes a history. */
export interface FileOptions extends ReadOptions {
  /** Zone of the till clocks. */
  readonly timeZone: string
  /** Keep the dates of the file instead of ending yesterday. */
  readonly asDated: boolean
  /** Instant that "yesterday" is the day before of, Unix milliseconds. */
  readonly nowMs: number
  /** Store of rows that name none. */
  readonly defaultStoreId: string
}

const maxLinesPerReceipt = 1_000

/** Reads a receipts file whole. Throws ReceiptsFileError when nothing of it can become a receipt. */
export async function readHistory(path: string, options: FileOptions): Promise<PurchaseHistory> {
  const rejected: RejectedRow[] = []
  const accepted: AcceptedRow[] = []
  let linesRead = 0
  for await (const row of readRows(path, options)) {
    linesRead += 1
    const outcome = acceptRow(row)
    if ('reason' in outcome) rejected.push(outcome)
    else accepted.push(outcome)
  }
  if (linesRead === 0) throw new ReceiptsFileError(`${path}: has a header but no lines`)
  const sales = assembleSales(accepted, rejected)
  if (sales.length === 0) {
    const reason = rejected[0]?.reason ?? 'it holds cancellations only'
    throw new ReceiptsFileError(`${path}: none of its ${linesRead} lines became a receipt (the first: ${reason})`)
  }
  const cancellations = accepted.filter((row) => row.isCancellation)
  const matched = matchCancellations(sales, cancellations)
  const days = options.asDated ? 0 : shiftDays(accepted, options)
  const dated = datedSales(sales, days, options)
  const returns = matched.returns.map(({ localMs, ...rest }) => ({
    ...rest,
    occurredAt: shift(localMs, days, options),
  }))
  const totals = {
    linesRead,
    receipts: sales.length,
    customers: new Set(sales.map((sale) => sale.customer)).size,
    customersNamed: new Set(accepted.map((row) => row.customer)).size,
    revenueMinor: sales.reduce((sum, sale) => sum + sale.lines.reduce((all, line) => all + line.amountMinor, 0n), 0n),
    cancellationsMatched: matched.matched,
    cancellationsUnmatched: matched.unmatched,
    freeLines: sales.reduce((sum, sale) => sum + sale.lines.filter((line) => line.amountMinor === 0n).length, 0),
  }
  return { customers: listCustomers(sales, options), sales: dated, returns, rejected, totals }
}

/** A sale whose date is still the till's clock. */
export interface LocalSale {
  readonly number: string
  readonly customer: string
  readonly storeId: string
  readonly localMs: number
  readonly lines: readonly SaleLine[]
}

function assembleSales(rows: readonly AcceptedRow[], rejected: RejectedRow[]): readonly LocalSale[] {
  const groups = new Map<string, AcceptedRow[]>()
  for (const row of rows) {
    if (row.isCancellation) continue
    const key = `${row.receipt}\0${row.customer}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else if (group.length < maxLinesPerReceipt) group.push(row)
    else rejected.push({ line: row.line, reason: 'receipt has more than 1,000 lines' })
  }
  const sales = [...groups.values()].map(toSale)
  return sales.sort((a, b) => a.localMs - b.localMs || (a.number < b.number ? -1 : 1))
}

function toSale(rows: readonly AcceptedRow[]): LocalSale {
  const [first] = rows
  if (first === undefined) throw new Error('a receipt has at least one row')
  return {
    number: first.receipt,
    customer: first.customer,
    storeId: first.storeId,
    // Some receipts span two minutes: the first decides.
    localMs: rows.reduce((earliest, row) => Math.min(earliest, row.localMs), first.localMs),
    lines: rows.map(({ sku, quantity, amountMinor, category }) => ({ sku, quantity, amountMinor, category })),
  }
}

function shiftDays(rows: readonly AcceptedRow[], options: FileOptions): number {
  const last = rows.reduce((latest, row) => Math.max(latest, row.localMs), Number.NEGATIVE_INFINITY)
  return daysUntilYesterday(last, toLocalMs(options.nowMs, options.timeZone))
}

function shift(localMs: number, days: number, options: FileOptions): Date {
  return toInstant(localMs + days * 86_400_000, options.timeZone)
}

function datedSales(sales: readonly LocalSale[], days: number, options: FileOptions): readonly Sale[] {
  return sales.map(({ localMs, storeId, ...sale }) => ({
    ...sale,
    kind: 'sale',
    storeId: storeId === '' ? options.defaultStoreId : storeId,
    occurredAt: shift(localMs, days, options),
    payByPointsPercent: 0,
  }))
}

function listCustomers(sales: readonly LocalSale[], options: FileOptions): readonly Customer[] {
  const first = new Map<string, LocalSale>()
  for (const sale of sales) if (!first.has(sale.customer)) first.set(sale.customer, sale)
  return [...first].map(([reference, sale]) => ({
    reference,
    firstName: '',
    lastName: '',
    locale: 'en-GB',
    storeId: sale.storeId === '' ? options.defaultStoreId : sale.storeId,
  }))
}
