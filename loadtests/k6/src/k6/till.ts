import { Service } from './grpc.ts'
import * as json from './json.ts'
import { acknowledged, noteWrong } from './metrics.ts'
import { fixture, members, pick, uniqueKey } from './world.ts'

const ledger = new Service(
  'stampede/ledger/v1/ledger.proto',
  'stampede.ledger.v1.LedgerService',
  fixture.addresses.ledger,
  fixture.tillKey,
)

interface Posted {
  readonly receiptId: string
  readonly pointsEarned: string
}

interface Sale {
  readonly idempotencyKey: string
  readonly memberId: string
  readonly lines: readonly { readonly amountMinor: number; readonly quantity: number }[]
  readonly [field: string]: unknown
}

/** The last sale of this caller that can still be returned, or repeated. */
let last: { readonly sale: Sale; readonly receiptId: string } | undefined

/** What customers do, in percent of all. */
const mix: readonly (readonly [percent: number, ring: () => void])[] = [
  [58, ringUp],
  [10, ringUpOverHttp],
  [16, payWithPoints],
  [3, changeOfMind],
  [3, commitOutside],
  [5, bringBack],
  [5, lostAnswer],
]

/** One customer at a till. */
export function till(): void {
  let dice = Math.random() * 100
  for (const [percent, ring] of mix) {
    dice -= percent
    if (dice >= 0) continue
    ring()
    return
  }
}

function saleOf(memberId: string): Sale {
  const lines = Array.from({ length: 1 + Math.floor(Math.random() * 6) }, (_, index) => ({
    sku: `sku-${Math.floor(Math.random() * 5_000)}`,
    quantity: 1 + Math.floor(Math.random() * 3),
    amountMinor: 100 + Math.floor(Math.random() * 3_000),
    category: `category-${index}`,
  }))
  const key = uniqueKey('sale')
  const [storeId, occurredAt] = [pick(fixture.stores), new Date().toISOString()]
  return {
    idempotencyKey: key,
    brand: fixture.brand,
    memberId,
    storeId,
    tillId: 'load',
    number: key,
    occurredAt,
    lines,
  }
}

function ringUp(): void {
  const sale = saleOf(pick(members))
  post('earn', sale)
  const { brand } = fixture
  const answer = ledger.call<{ balance?: object }>('balance', 'GetBalance', { brand, memberId: sale.memberId })
  if (answer !== undefined && !answer.balance) noteWrong('balance', `${sale.memberId} has none`)
}

/** Posts a sale and writes down what was acknowledged. */
function post(kind: 'earn' | 'pay' | 'repeat', sale: Sale): Posted | undefined {
  const posted = ledger.call<Posted>(kind, 'PostReceipt', sale)
  if (posted === undefined) return undefined
  acknowledge(sale.idempotencyKey, posted.receiptId)
  last = { sale, receiptId: posted.receiptId }
  return posted
}

/** A line of the till's journal: k6 can write no other file than its console. */
function acknowledge(key: string, id: string): void {
  acknowledged.add(1)
  console.log(JSON.stringify({ key, id }))
}

function ringUpOverHttp(): void {
  const sale = saleOf(pick(members))
  const url = `${fixture.addresses.ledgerHttp}/v1/brands/${fixture.brand}/receipts`
  const posted = json.post<Posted>('earn-http', url, sale)
  if (posted !== undefined) acknowledge(sale.idempotencyKey, posted.receiptId)
}

/** Quotes and holds; what another till took meanwhile is refused. */
function hold(sale: Sale): { readonly holdId: string; readonly points: number } | undefined {
  const { brand, memberId, lines, storeId, number } = sale
  const quote = ledger.call<{ maxPointsPayable: string }>('quote', 'QuoteReceipt', { brand, memberId, lines, storeId })
  const points = Math.floor(Number(quote?.maxPointsPayable ?? 0) / 2)
  if (points === 0) return undefined
  const idempotencyKey = uniqueKey('hold')
  const request = { idempotencyKey, brand, memberId, points, reference: number }
  const answer = ledger.call<{ holdId: string }>('hold', 'CreateHold', request)
  return answer === undefined ? undefined : { holdId: answer.holdId, points }
}

function payWithPoints(): void {
  const sale = saleOf(pick(members))
  const held = hold(sale)
  if (held === undefined) post('earn', sale)
  else post('pay', { ...sale, holdId: held.holdId, pointsToPay: held.points })
}

function changeOfMind(): void {
  const held = hold(saleOf(pick(members)))
  if (held === undefined) return
  const idempotencyKey = uniqueKey('cancel')
  ledger.call('cancel', 'CancelHold', { idempotencyKey, brand: fixture.brand, holdId: held.holdId })
}

function commitOutside(): void {
  const held = hold(saleOf(pick(members)))
  if (held === undefined) return
  const { holdId, points } = held
  ledger.call('commit', 'CommitHold', { idempotencyKey: uniqueKey('commit'), brand: fixture.brand, holdId, points })
}

function bringBack(): void {
  if (last === undefined) {
    ringUp()
    return
  }
  const { sale, receiptId } = last
  last = undefined
  const key = uniqueKey('return')
  const answer = ledger.call<{ returnReceiptId: string }>('return', 'ReturnReceipt', {
    idempotencyKey: key,
    brand: fixture.brand,
    receiptId,
    memberId: sale.memberId,
    returnId: key,
    occurredAt: new Date().toISOString(),
    lines: [{ lineIndex: 0, quantity: sale.lines[0]?.quantity ?? 1 }],
  })
  if (answer !== undefined) acknowledge(key, answer.returnReceiptId)
}

/** A till that did not get its answer asks again with the same key, and must get the same one. */
function lostAnswer(): void {
  const sale = saleOf(pick(members))
  const first = post('earn', sale)
  const again = post('repeat', sale)
  if (first === undefined || again === undefined) return
  const same = first.receiptId === again.receiptId && first.pointsEarned === again.pointsEarned
  if (!same) noteWrong('repeat', `${sale.idempotencyKey}: ${first.receiptId}, then ${again.receiptId}`)
}
