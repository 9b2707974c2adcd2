import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { ReceiptsFileError } from './errors.ts'
import { type FileOptions, readHistory } from './history.ts'

const folder = mkdtempSync(join(tmpdir(), 'stampede-receipts-'))
after(() => rmSync(folder, { recursive: true }))

const options: FileOptions = {
  layout: 'csv',
  columns: '',
  timeZone: 'Europe/London',
  asDated: false,
  nowMs: Date.parse('2026-11-21T12:00:00Z'),
  defaultStoreId: 'online',
}
const header = 'InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID'

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

function writeRows(...rows: readonly string[]): string {
  return write(`${rows.length}-${Math.random()}.csv`, `${[header, ...rows].join('\n')}\n`)
}

test('lines of one receipt and customer become one sale, exact to the penny', async () => {
  const path = writeRows('1,A,3,2011-12-01 10:00,0.29,7.0', '1,B,1,2011-12-01 10:00,2.55,7.0')
  const { sales, customers, totals } = await readHistory(path, options)
  assert.equal(sales.length, 1)
  assert.deepEqual(
    sales[0]?.lines.map(({ amountMinor }) => amountMinor),
    [87n, 255n],
  )
  assert.deepEqual(
    customers.map(({ reference }) => reference),
    ['7'],
  )
  assert.equal(totals.revenueMinor, 342n)
})

test('the last receipt falls on yesterday and clocks keep their hour across the change to summer time', async () => {
  const path = writeRows('1,A,1,2011-06-01 10:00,1,7', '2,A,1,2011-12-09 12:50,1,7')
  const { sales } = await readHistory(path, options)
  assert.deepEqual(
    sales.map(({ occurredAt }) => occurredAt.toISOString()),
    ['2026-05-13T09:00:00.000Z', '2026-11-20T12:50:00.000Z'],
  )
})

test('dates stay as they are when asked', async () => {
  const path = writeRows('2,A,1,2011-12-09 12:50,1,7')
  const { sales } = await readHistory(path, { ...options, asDated: true })
  assert.equal(sales[0]?.occurredAt.toISOString(), '2011-12-09T12:50:00.000Z')
})

test('a row that cannot become a receipt is reported by line and reason', async () => {
  const path = writeRows(
    '1,A,1,2011-12-01 10:00,1,7',
    '2,A,1,2011-12-01 10:00,1,',
    '3,A,1,2011-13-01 10:00,1,7',
    '4,A,1.5,2011-12-01 10:00,1,7',
    '5,A,-1,2011-12-01 10:00,1,7',
    '6,A,1,2011-12-01 10:00,0.001,7',
    '7,A,1,2011-12-01 10:00,-5,7',
    '8,A,1,2011-12-01 10:00,one,7',
    'C9,A,2,2011-12-01 10:00,1,7',
  )
  const { rejected } = await readHistory(path, options)
  assert.deepEqual(rejected, [
    { line: 3, reason: 'no customer' },
    { line: 4, reason: 'date is not readable' },
    { line: 5, reason: 'quantity is not a whole number' },
    { line: 6, reason: 'negative quantity outside a cancellation' },
    { line: 7, reason: 'amount is not a whole number of minor units' },
    { line: 8, reason: 'negative price' },
    { line: 9, reason: 'price is not a number' },
    { line: 10, reason: 'positive quantity in a cancellation' },
  ])
})

test('a cancellation returns the latest earlier sale with enough left, else it is unmatched', async () => {
  const path = writeRows(
    '1,A,5,2011-12-01 10:00,1,7',
    '2,A,2,2011-12-02 10:00,1,7',
    'C3,A,-3,2011-12-03 10:00,1,7',
    'C4,A,-2,2011-12-04 10:00,1,7',
    'C5,A,-3,2011-12-05 10:00,1,7',
    'C6,A,-1,2011-12-01 09:00,1,7',
    'C7,A,-1,2011-12-06 10:00,1,8',
  )
  const { returns, totals } = await readHistory(path, options)
  assert.deepEqual(
    returns.map(({ saleIndex, lines }) => [saleIndex, lines]),
    [
      [0, [{ lineIndex: 0, quantity: 3 }]],
      [1, [{ lineIndex: 0, quantity: 2 }]],
    ],
  )
  assert.deepEqual([totals.cancellationsMatched, totals.cancellationsUnmatched], [2, 3])
})

test('gzip is read, and columns are mapped by flag', async () => {
  const path = write('mapped.csv.gz', gzipSync('who,when,worth\n7,2011-12-01,9.99\n'))
  const { totals } = await readHistory(path, { ...options, columns: 'customer=who,date=when,amount=worth' })
  assert.equal(totals.revenueMinor, 999n)
})

test('a fixed-width file is read by character ranges', async () => {
  const path = write('fixed.txt', ' 00004 0001 19970101  2   29.33\n 00004 0001 19970118  2   29.73\n')
  const columns = 'customer=2-6,date=13-20,quantity=22-23,amount=25-31'
  const { totals } = await readHistory(path, { ...options, layout: 'fixed', columns })
  assert.deepEqual([totals.receipts, totals.customers, totals.revenueMinor], [2, 1, 5906n])
})

const unusable: readonly (readonly [string, () => string, Partial<FileOptions>, RegExp])[] = [
  ['missing', () => join(folder, 'nowhere.csv'), {}, /there is no such file/],
  ['a folder', () => folder, {}, /is not a file/],
  ['empty', () => write('empty.csv', ''), {}, /is empty/],
  ['a header alone', () => write('header.csv', `${header}\n`), {}, /has a header but no lines/],
  ['binary', () => write('binary.csv', new Uint8Array([137, 80, 78, 71, 0, 1, 2])), {}, /is binary/],
  [
    'binary inside gzip',
    () => write('binary.gz', gzipSync(new Uint8Array([1, 0, 2, 0, 3]))),
    {},
    /is binary|no column/,
  ],
  [
    'damaged gzip',
    () => write('damaged.gz', gzipSync(`${header}\n1,A,1,2011-12-01,1,7\n`).subarray(0, 30)),
    {},
    /damaged gzip|no lines/,
  ],
  [
    'without a customer column',
    () => write('plain.csv', 'a,b\n1,2\n'),
    {},
    /no column for customer; the header has a, b/,
  ],
  [
    'mapped to a missing column',
    () => writeRows('1,A,1,2011-12-01,1,7'),
    { columns: 'customer=Nobody' },
    /no column "Nobody"/,
  ],
  [
    'mapped to a wrong column',
    () => writeRows('1,A,1,2011-12-01,1,7'),
    { columns: 'date=StockCode' },
    /none of its 1 lines became a receipt/,
  ],
  [
    'mapped by an unknown name',
    () => writeRows('1,A,1,2011-12-01,1,7'),
    { columns: 'buyer=CustomerID' },
    /is not NAME=COLUMN/,
  ],
]

for (const [what, make, changed, message] of unusable) {
  test(`a file that is ${what} ends with one clear line`, async () => {
    await assert.rejects(readHistory(make(), { ...options, ...changed }), (error) => {
      assert.ok(error instanceof ReceiptsFileError, String(error))
      assert.match(error.message, message)
      assert.ok(!error.message.includes('\n'))
      return true
    })
  })
}
