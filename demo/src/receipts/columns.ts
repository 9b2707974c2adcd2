import { ReceiptsFileError } from './errors.ts'

/** What a column of a receipts file can mean. */
export const columnNames = [
  'receipt',
  'customer',
  'item',
  'quantity',
  'price',
  'amount',
  'date',
  'store',
  'category',
] as const

export type ColumnName = (typeof columnNames)[number]

/** Names under which the columns are found when no flag maps them, compared without case, blanks and underscores. */
const knownNames: Readonly<Record<ColumnName, readonly string[]>> = {
  receipt: ['receipt', 'receiptno', 'receiptid', 'invoice', 'invoiceno', 'invoiceid', 'transactionid', 'orderid'],
  customer: ['customer', 'customerid', 'memberid', 'clientid', 'userid'],
  item: ['item', 'itemid', 'sku', 'stockcode', 'productid', 'product'],
  quantity: ['quantity', 'qty', 'units'],
  price: ['price', 'unitprice'],
  amount: ['amount', 'value', 'total', 'sales', 'revenue', 'dollars'],
  date: ['date', 'invoicedate', 'datetime', 'timestamp', 'orderdate', 'purchasedate'],
  store: ['store', 'storeid', 'shop', 'shopid'],
  category: ['category', 'department'],
}

/** Where each meaning is found: a column index of a delimited file. */
export type ColumnIndex = Readonly<Partial<Record<ColumnName, number>>>

/** Characters of a fixed-width line, from 1, both ends included. */
export interface CharacterRange {
  readonly from: number
  readonly to: number
}

/** Reads `receipt=InvoiceNo,customer=CustomerID`. Throws ReceiptsFileError that names the wrong part. */
export function parseColumnFlag(flag: string): ReadonlyMap<ColumnName, string> {
  const columns = new Map<ColumnName, string>()
  for (const part of flag.split(',')) {
    const [name = '', ...value] = part.split('=')
    const column = columnNames.find((known) => known === name.trim())
    if (column === undefined || value.length === 0 || value.join('=').trim() === '') {
      throw new ReceiptsFileError(`--columns: "${part}" is not NAME=COLUMN with NAME one of ${columnNames.join(', ')}`)
    }
    columns.set(column, value.join('=').trim())
  }
  return columns
}

/** Reads `4-6` of a fixed-width mapping. */
export function parseRange(column: string, text: string): CharacterRange {
  const match = /^(\d{1,4})-(\d{1,4})$/.exec(text)
  const [from, to] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)]
  if (from < 1 || to < from) {
    throw new ReceiptsFileError(`--columns: ${column}=${text} is not a range of characters such as 2-6`)
  }
  return { from, to }
}

/** Finds the columns by the flag, else by name. Throws ReceiptsFileError when a demanded one is missing. */
export function findColumns(header: readonly string[], mapped: ReadonlyMap<ColumnName, string>): ColumnIndex {
  const found: Partial<Record<ColumnName, number>> = {}
  for (const name of columnNames) {
    const flag = mapped.get(name)
    const index = flag === undefined ? findByKnownName(header, name) : header.indexOf(flag)
    if (index >= 0) found[name] = index
    else if (flag !== undefined) {
      throw new ReceiptsFileError(`--columns: there is no column "${flag}"; the header has ${header.join(', ')}`)
    }
  }
  demandColumns((name) => found[name] !== undefined, `the header has ${header.join(', ')}`)
  return found
}

/** Throws ReceiptsFileError unless customer, date and either amount or price with quantity are there. */
export function demandColumns(has: (name: ColumnName) => boolean, context: string): void {
  for (const name of ['customer', 'date'] as const) {
    if (!has(name)) throw new ReceiptsFileError(`no column for ${name}; ${context}. Map it: --columns ${name}=COLUMN`)
  }
  if (!has('amount') && !(has('price') && has('quantity'))) {
    throw new ReceiptsFileError(`no column for amount, nor for price with quantity; ${context}. Map them by --columns`)
  }
}

function findByKnownName(header: readonly string[], name: ColumnName): number {
  const plain = header.map((column) => column.toLowerCase().replace(/[\s_-]/g, ''))
  for (const known of knownNames[name]) {
    const index = plain.indexOf(known)
    if (index >= 0) return index
  }
  return -1
}
