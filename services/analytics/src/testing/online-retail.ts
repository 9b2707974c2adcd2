import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { uuidv7 } from '@stampede/platform'
import { receiptEvent } from './events.ts'

const file = new URL('../../../../../shared/data/online-retail/online-retail.csv.gz', import.meta.url)

/** Why a test on the data set cannot run; false when it can. */
export const missingOnlineRetail: string | false = existsSync(file) ? false : `NOT RUN: no ${file.pathname}`

/** Columns from the end: descriptions may hold commas. */
const line = /^(\w+),([^,]*),.*,(-?\d+),(\d{4}-\d\d-\d\d) ([\d:]+),(-?[\d.]+),(\d+)\.0,[^,]*$/

/** Minor units of a pound: prices of the set go down to a tenth of a penny, and one customer bought for no more than that. */
export const minorPerPound = 1_000

interface Invoice {
  readonly memberId: string
  readonly occurredAt: Date
  readonly lines: { sku: string; quantity: bigint; amount: number }[]
}

/** UCI Online Retail as encoded receipts of a brand: no cancellations, quantity and price above zero, a known customer. */
export function onlineRetailEvents(brand: string): readonly Uint8Array[] {
  const invoices = new Map<string, Invoice>()
  for (const text of gunzipSync(readFileSync(file)).toString('utf8').split('\n')) {
    const [, invoice = '', sku = '', quantity = '', day = '', time = '', price = '', memberId = ''] =
      line.exec(text.trim()) ?? []
    if (invoice === '' || invoice.startsWith('C') || Number(quantity) <= 0 || Number(price) <= 0) continue
    const own = invoices.get(invoice) ?? { memberId, occurredAt: new Date(`${day}T${time}Z`), lines: [] }
    own.lines.push({ sku, quantity: BigInt(quantity), amount: Number(quantity) * Number(price) * minorPerPound })
    invoices.set(invoice, own)
  }
  return [...invoices].map(([number, { memberId, occurredAt, lines }]) =>
    receiptEvent(brand, {
      receiptId: uuidv7(),
      memberId,
      occurredAt,
      number,
      totalMinor: BigInt(Math.round(lines.reduce((total, one) => total + one.amount, 0))),
      lines: lines.map(({ sku, quantity, amount }) => ({
        sku,
        quantity,
        amountMinor: BigInt(Math.round(amount)),
        category: '',
      })),
    }),
  )
}
