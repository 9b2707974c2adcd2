import type { AcceptedRow } from './assemble.ts'
import type { LocalSale } from './history.ts'

/** A return whose date is still the till's clock. */
export interface LocalReturn {
  readonly kind: 'return'
  readonly returnId: string
  readonly customer: string
  readonly localMs: number
  readonly saleIndex: number
  readonly lines: readonly { readonly lineIndex: number; readonly quantity: number }[]
}

/** Outcome of matching. */
export interface MatchedCancellations {
  readonly returns: readonly LocalReturn[]
  /** Cancelling lines with a sale. */
  readonly matched: number
  readonly unmatched: number
}

interface OpenLine {
  readonly saleIndex: number
  readonly lineIndex: number
  readonly localMs: number
  left: number
}

/**
 * Each cancelling line returns the latest earlier sale line of the same customer and item with enough
 * unreturned quantity. One that finds none is counted and left alone: no sale is invented for it.
 * `sales` is sorted by time.
 */
export function matchCancellations(
  sales: readonly LocalSale[],
  cancellations: readonly AcceptedRow[],
): MatchedCancellations {
  const open = indexLines(sales)
  const returns = new Map<string, { head: LocalReturn; lines: { lineIndex: number; quantity: number }[] }>()
  let matched = 0
  const inOrder = [...cancellations].sort((a, b) => a.localMs - b.localMs || a.line - b.line)
  for (const row of inOrder) {
    const line = open
      .get(`${row.customer}\0${row.sku}`)
      ?.findLast((candidate) => candidate.localMs < row.localMs && candidate.left >= row.quantity)
    if (line === undefined) continue
    matched += 1
    line.left -= row.quantity
    const returnId = `${row.receipt}/${line.saleIndex}`
    const known = returns.get(returnId)
    if (known === undefined) {
      const head = {
        kind: 'return',
        returnId,
        customer: row.customer,
        localMs: row.localMs,
        saleIndex: line.saleIndex,
        lines: [],
      } as const
      returns.set(returnId, { head, lines: [{ lineIndex: line.lineIndex, quantity: row.quantity }] })
    } else addLine(known.lines, line.lineIndex, row.quantity)
  }
  const list = [...returns.values()].map(({ head, lines }) => ({ ...head, lines }))
  return { returns: list, matched, unmatched: cancellations.length - matched }
}

function addLine(lines: { lineIndex: number; quantity: number }[], lineIndex: number, quantity: number): void {
  const same = lines.find((line) => line.lineIndex === lineIndex)
  if (same === undefined) lines.push({ lineIndex, quantity })
  else same.quantity += quantity
}

function indexLines(sales: readonly LocalSale[]): ReadonlyMap<string, readonly OpenLine[]> {
  const open = new Map<string, OpenLine[]>()
  sales.forEach((sale, saleIndex) => {
    sale.lines.forEach((line, lineIndex) => {
      const key = `${sale.customer}\0${line.sku}`
      const entry = { saleIndex, lineIndex, localMs: sale.localMs, left: line.quantity }
      const known = open.get(key)
      if (known === undefined) open.set(key, [entry])
      else known.push(entry)
    })
  })
  return open
}
