import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Acknowledgement, checkAcknowledged, type ReceiptCounts } from './receipts.ts'

async function check(rows: readonly Acknowledgement[], counts: ReceiptCounts): Promise<string> {
  const journal = async function* () {
    yield* rows
  }
  const finding = await checkAcknowledged(journal(), async () => counts)
  return finding.ok === false ? finding.row : String(finding.ok)
}

const first = { key: 'sale-1', id: 'r-1' }

test('one acknowledged twice under its key is one receipt', async () => {
  assert.equal(await check([first, first], new Map([['r-1', 1]])), 'true')
})

test('a receipt that is missing is named', async () => {
  assert.equal(await check([first], new Map()), 'receipt r-1 is there 0 times')
})

test('a receipt that is there twice is named', async () => {
  assert.equal(await check([first], new Map([['r-1', 2]])), 'receipt r-1 is there 2 times')
})

test('one key that was answered with two ids is named', async () => {
  const row = await check(
    [first, { key: 'sale-1', id: 'r-2' }],
    new Map([
      ['r-1', 1],
      ['r-2', 1],
    ]),
  )
  assert.equal(row, 'sale-1 was answered with r-1 and with r-2')
})

test('one id that answered two keys is found', async () => {
  assert.equal(
    await check([first, { key: 'sale-2', id: 'r-1' }], new Map([['r-1', 1]])),
    'one receipt id answered two keys',
  )
})
