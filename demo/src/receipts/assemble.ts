import { parseLocalTime } from './dates.ts'
import { type Decimal, parseDecimal, toMinorUnits, toWholeNumber } from './decimal.ts'
import type { RejectedRow } from './model.ts'
import type { SourceRow } from './read.ts'

/** A row that belongs to a receipt or to a cancellation. */
export interface AcceptedRow {
  readonly line: number
  readonly receipt: string
  readonly customer: string
  readonly storeId: string
  readonly sku: string
  readonly category: string
  /** Pieces, at least 1, also for a cancellation. */
  readonly quantity: number
  readonly amountMinor: bigint
  /** Clock of the till, as Unix milliseconds read in UTC. */
  readonly localMs: number
  readonly isCancellation: boolean
}

const one: Decimal = { units: 1n, scale: 0 }
const limits = { text: 64, quantity: 1_000_000, amountMinor: 10n ** 12n } as const

/** Whether a receipt number names a cancellation: the letter C before digits. */
export function isCancellationNumber(receipt: string): boolean {
  return /^C\d/i.test(receipt)
}

/** Makes sense of one row, or says in plain words why it cannot. */
export function acceptRow({ line, values }: SourceRow): AcceptedRow | RejectedRow {
  const reject = (reason: string): RejectedRow => ({ line, reason })
  const customer = (values.customer ?? '').trim().replace(/\.0+$/, '')
  if (customer === '') return reject('no customer')
  const receipt = (values.receipt ?? `line-${line}`).trim()
  if (receipt === '') return reject('no receipt number')
  const sku = (values.item ?? 'purchase').trim()
  if (sku === '') return reject('no item')
  if (customer.length > limits.text || receipt.length > limits.text || sku.length > limits.text) {
    return reject('customer, receipt or item is longer than 64 characters')
  }
  const localMs = parseLocalTime(values.date ?? '')
  if (localMs === undefined) return reject('date is not readable')
  const quantity = readQuantity(values.quantity)
  if (quantity === undefined) return reject('quantity is not a whole number')
  const isCancellation = isCancellationNumber(receipt)
  if (quantity === 0) return reject('quantity is 0')
  if (quantity < 0 && !isCancellation) return reject('negative quantity outside a cancellation')
  if (quantity > 0 && isCancellation) return reject('positive quantity in a cancellation')
  if (Math.abs(quantity) > limits.quantity) return reject('quantity is above 1,000,000')
  const amountMinor = readAmount(values.price, values.amount, Math.abs(quantity))
  if (amountMinor === 'unreadable') return reject('price is not a number')
  if (amountMinor === 'fraction') return reject('amount is not a whole number of minor units')
  if (amountMinor < 0n) return reject('negative price')
  if (amountMinor > limits.amountMinor) return reject('amount is above 10,000,000,000')
  const storeId = (values.store ?? '').trim()
  const category = (values.category ?? '').trim()
  const pieces = Math.abs(quantity)
  return { line, receipt, customer, storeId, sku, category, quantity: pieces, amountMinor, localMs, isCancellation }
}

function readQuantity(text: string | undefined): number | undefined {
  if (text === undefined) return 1
  const value = parseDecimal(text)
  return value === undefined ? undefined : toWholeNumber(value)
}

function readAmount(
  price: string | undefined,
  amount: string | undefined,
  quantity: number,
): bigint | 'unreadable' | 'fraction' {
  const value = parseDecimal((price ?? amount ?? '').trim())
  if (value === undefined) return 'unreadable'
  const factor = price === undefined ? one : { units: BigInt(quantity), scale: 0 }
  return toMinorUnits(value, factor) ?? 'fraction'
}
