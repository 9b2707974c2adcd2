import { StampedeError, unavailable } from '@stampede/platform'
import { PostReceiptRequest, type ReceiptBatchItem, type ReturnReceiptRequest } from '@stampede/proto/ledger/v1'
import type { Return, Sale } from '../receipts/model.ts'
import type { StoryContext } from './context.ts'
import type { StoryMember } from './members.ts'
import { persist } from './patience.ts'
import { noPayment, openTillRecords, type Payment } from './till-records.ts'

/** The tills of the story: what they ask, and the journal of what was acknowledged to them. */
export interface Tills {
  /** Posts sales and returns in their order per member. Throws when one is refused. */
  postBatch(items: readonly ReceiptBatchItem[]): Promise<void>
  /** Rings up one sale; a customer who pays by points does so by quote, hold and commit. Gives the points that it changed. */
  ringUp(sale: Sale): Promise<{ readonly memberId: string; readonly delta: bigint; readonly sentAtMs: number }>
  toItem(entry: Sale | Return): ReceiptBatchItem
  /** Whether this run or an earlier one was told that it is posted. */
  isPosted(entry: Sale | Return): boolean
}

/** Opens the tills. `ledger` must be a client with the brand's till key. */
export async function openTills(
  context: StoryContext,
  members: ReadonlyMap<string, StoryMember>,
  ledger: StoryContext['clients']['ledger'],
): Promise<Tills> {
  const { brand, history } = context
  const records = await openTillRecords(context)
  const memberOf = (reference: string): string => {
    const member = members.get(reference)
    if (member === undefined) throw new Error(`${reference} is not enrolled`)
    return member.memberId
  }
  const toSale = (sale: Sale): PostReceiptRequest =>
    PostReceiptRequest.fromPartial({
      idempotencyKey: keyOf(sale),
      brand,
      memberId: memberOf(sale.customer),
      storeId: sale.storeId,
      tillId: 'till-1',
      number: `${sale.number}/${sale.customer}`,
      occurredAt: sale.occurredAt,
      lines: sale.lines.map((line) => ({ ...line, quantity: BigInt(line.quantity) })),
      ...(records.paymentOf(keyOf(sale)) ?? noPayment),
    })
  const toReturn = (entry: Return): ReturnReceiptRequest => {
    const sale = history.sales[entry.saleIndex]
    if (sale === undefined) throw new Error(`return ${entry.returnId} names no sale`)
    return {
      idempotencyKey: keyOf(entry),
      brand,
      receiptId: records.idOf(keyOf(sale)) ?? '',
      sale: undefined,
      mayPark: false,
      memberId: memberOf(entry.customer),
      returnId: entry.returnId,
      occurredAt: entry.occurredAt,
      lines: entry.lines.map(({ lineIndex, quantity }) => ({ lineIndex, quantity: BigInt(quantity) })),
    }
  }
  return {
    toItem: (entry) => ({
      item:
        entry.kind === 'sale' ? { $case: 'sale', value: toSale(entry) } : { $case: 'return', value: toReturn(entry) },
    }),
    postBatch: async (items) => {
      const results = await persist('posting receipts', () => postItems(ledger, brand, items))
      records.acknowledge(
        results.map(({ result }, index) => {
          const request = items[index]?.item
          const key = request?.value.idempotencyKey ?? ''
          if (result === undefined || result.$case === 'error') {
            throw new Error(`${key} was refused: ${result?.value.message ?? 'no answer'}`)
          }
          return { key, id: result.$case === 'sale' ? result.value.receiptId : result.value.returnReceiptId }
        }),
      )
    },
    ringUp: async (sale) => {
      const key = keyOf(sale)
      if (sale.payByPointsPercent > 0 && records.paymentOf(key) === undefined) {
        records.pay(key, await holdPoints(ledger, toSale(sale), sale.payByPointsPercent))
      }
      const sentAtMs = performance.timeOrigin + performance.now()
      const answer = await postReceipt(ledger, toSale(sale), () => {
        records.pay(key, noPayment)
        return toSale(sale)
      })
      records.acknowledge([{ key, id: answer.receiptId }])
      return { memberId: memberOf(sale.customer), delta: answer.pointsEarned, sentAtMs }
    },
    isPosted: (entry) => records.idOf(keyOf(entry)) !== undefined,
  }
}

type Ledger = StoryContext['clients']['ledger']

/** Idempotency key of an entry: the same in every run. */
function keyOf(entry: Sale | Return): string {
  return entry.kind === 'sale' ? `sale/${entry.number}/${entry.customer}` : `return/${entry.returnId}`
}

/** Posts a batch; an item that is to be tried again makes the whole batch so, which repeats nothing by its keys. */
async function postItems(ledger: Ledger, brand: string, items: readonly ReceiptBatchItem[]) {
  const { results } = await ledger.postReceiptBatch({ brand, items: [...items] })
  for (const { result } of results) {
    if (result?.$case === 'error' && result.value.retryable) throw unavailable(result.value.message)
  }
  return results
}

/** Posts a sale; one whose hold ran out between two runs is paid in cash. */
async function postReceipt(ledger: Ledger, request: PostReceiptRequest, payInCash: () => PostReceiptRequest) {
  try {
    return await persist('posting a receipt', () => ledger.postReceipt(request))
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined
    if (!(cause instanceof StampedeError) || cause.code !== 'HOLD_EXPIRED') throw error
    return persist('posting a receipt', () => ledger.postReceipt(payInCash()))
  }
}

async function holdPoints(ledger: Ledger, request: PostReceiptRequest, percent: number): Promise<Payment> {
  const { brand, memberId, lines, number: reference } = request
  const quote = await persist('quoting a receipt', () => ledger.quoteReceipt({ brand, memberId, lines }))
  const points = (quote.maxPointsPayable * BigInt(percent)) / 100n
  if (points === 0n) return noPayment
  // Fresh in each run: an earlier run's hold may be of other points. One that nobody uses expires.
  const idempotencyKey = `hold/${reference}/${crypto.randomUUID()}`
  const { holdId } = await persist('holding points', () =>
    ledger.createHold({ idempotencyKey, brand, memberId, points, reference, ttlSeconds: 0 }),
  )
  return { holdId, pointsToPay: points }
}
