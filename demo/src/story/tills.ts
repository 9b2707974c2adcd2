import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { PostReceiptRequest, ReceiptBatchItem, ReturnReceiptRequest } from '@stampede/proto/ledger/v1'
import type { Return, Sale } from '../receipts/model.ts'
import type { StoryContext } from './context.ts'
import type { StoryMember } from './members.ts'
import { persist } from './patience.ts'

/** The tills of the story: what they ask, and the journal of what was acknowledged to them. */
export interface Tills {
  /** Posts sales and returns in their order per member. Throws when one is refused. */
  postBatch(items: readonly ReceiptBatchItem[]): Promise<void>
  /** Rings up one sale; a customer who pays by points does so by quote, hold and commit. Gives the points that it changed. */
  ringUp(sale: Sale): Promise<{ readonly memberId: string; readonly delta: bigint; readonly sentAtMs: number }>
  toItem(entry: Sale | Return): ReceiptBatchItem
}

/** Opens the tills. `ledger` must be a client with the brand's till key. */
export function openTills(
  context: StoryContext,
  members: ReadonlyMap<string, StoryMember>,
  ledger: StoryContext['clients']['ledger'],
): Tills {
  const { brand, history } = context
  const record = openAcknowledgements(context)
  const memberOf = (reference: string): string => {
    const member = members.get(reference)
    if (member === undefined) throw new Error(`${reference} is not enrolled`)
    return member.memberId
  }
  const toSale = (sale: Sale): PostReceiptRequest => ({
    idempotencyKey: `sale/${sale.number}/${sale.customer}`,
    brand,
    memberId: memberOf(sale.customer),
    storeId: sale.storeId,
    tillId: 'till-1',
    number: `${sale.number}/${sale.customer}`,
    occurredAt: sale.occurredAt,
    lines: sale.lines.map((line) => ({ ...line, quantity: BigInt(line.quantity) })),
    holdId: '',
    pointsToPay: 0n,
  })
  const toReturn = (entry: Return): ReturnReceiptRequest => {
    const sale = history.sales[entry.saleIndex]
    if (sale === undefined) throw new Error(`return ${entry.returnId} names no sale`)
    return {
      idempotencyKey: `return/${entry.returnId}`,
      brand,
      receiptId: receiptIds.get(`sale/${sale.number}/${sale.customer}`) ?? '',
      memberId: memberOf(entry.customer),
      returnId: entry.returnId,
      occurredAt: entry.occurredAt,
      lines: entry.lines.map(({ lineIndex, quantity }) => ({ lineIndex, quantity: BigInt(quantity) })),
    }
  }
  const receiptIds = new Map<string, string>()
  return {
    toItem: (entry) => ({
      item:
        entry.kind === 'sale' ? { $case: 'sale', value: toSale(entry) } : { $case: 'return', value: toReturn(entry) },
    }),
    postBatch: async (items) => {
      const { results } = await persist('posting receipts', () => ledger.postReceiptBatch({ brand, items: [...items] }))
      record(
        results.map(({ result }, index) => {
          const request = items[index]?.item
          const key = request?.value.idempotencyKey ?? ''
          if (result === undefined || result.$case === 'error') {
            throw new Error(`${key} was refused: ${result?.value.message ?? 'no answer'}`)
          }
          const id = result.$case === 'sale' ? result.value.receiptId : result.value.returnReceiptId
          if (result.$case === 'sale') receiptIds.set(key, id)
          return { key, id }
        }),
      )
    },
    ringUp: async (sale) => {
      const request = toSale(sale)
      const payment = await holdPoints(ledger, request, sale.payByPointsPercent)
      const sentAtMs = performance.timeOrigin + performance.now()
      const answer = await persist('posting a receipt', () => ledger.postReceipt({ ...request, ...payment }))
      record([{ key: request.idempotencyKey, id: answer.receiptId }])
      receiptIds.set(request.idempotencyKey, answer.receiptId)
      return { memberId: request.memberId, delta: answer.pointsEarned, sentAtMs }
    },
  }
}

async function holdPoints(
  ledger: StoryContext['clients']['ledger'],
  request: PostReceiptRequest,
  percent: number,
): Promise<{ holdId: string; pointsToPay: bigint }> {
  const nothing = { holdId: '', pointsToPay: 0n }
  if (percent === 0) return nothing
  const { brand, memberId, lines } = request
  const quote = await persist('quoting a receipt', () => ledger.quoteReceipt({ brand, memberId, lines }))
  const points = (quote.maxPointsPayable * BigInt(percent)) / 100n
  if (points === 0n) return nothing
  const reference = request.number
  const { holdId } = await persist('holding points', () =>
    ledger.createHold({ idempotencyKey: `hold/${reference}`, brand, memberId, points, reference, ttlSeconds: 0 }),
  )
  return { holdId, pointsToPay: points }
}

/** What was acknowledged is written down at the till's side: the check that nothing is lost must not ask the ledger alone. */
function openAcknowledgements({
  platform,
  brand,
}: StoryContext): (rows: readonly { key: string; id: string }[]) => void {
  const folder = join(platform.folders.root, 'data', 'tills')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${brand}.ndjson`)
  return (rows) => appendFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
}
