import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readHistory } from './history.ts'

const file = fileURLToPath(new URL('../../../../shared/data/online-retail/online-retail.csv.gz', import.meta.url))
const skip = existsSync(file) ? false : `LOUD SKIP: ${file} is not there`

test('the totals of Online Retail are those of the file', { skip }, async () => {
  const { totals, rejected } = await readHistory(file, {
    layout: 'csv',
    columns: '',
    timeZone: 'Europe/London',
    asDated: true,
    nowMs: 0,
    defaultStoreId: 'online',
  })
  // Counted apart from this code by one pass over the file with another CSV reader.
  assert.equal(totals.linesRead, 541_909)
  assert.equal(totals.receipts, 18_536)
  assert.equal(totals.customers, 4_339)
  assert.equal(totals.revenueMinor, 891_140_790n)
  assert.equal(totals.cancellationsMatched + totals.cancellationsUnmatched, 8_905)
  assert.equal(rejected.filter(({ reason }) => reason === 'no customer').length, 135_080)
})
