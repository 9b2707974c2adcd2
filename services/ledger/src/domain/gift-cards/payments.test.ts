import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordedLine, SaleRecord } from '../sale.ts'
import { sum } from '../shares.ts'
import { returnEntries, returnedParts, saleEntries, spreadPayments } from './payments.ts'

const line = (amountMinor: bigint, more: Partial<RecordedLine> = {}): RecordedLine => {
  const plain = { sku: 's', category: '', quantity: 1n, paid: 0n, earned: 0n, discountMinor: 0n, returned: 0n }
  return { ...plain, amountMinor, ...more }
}

const saleOf = (...lines: RecordedLine[]): SaleRecord => ({
  receiptId: 'r',
  lines,
  pointValueMinor: 10n,
  lotId: null,
  spendDraws: [],
  reverseDraws: [],
  reverseDebt: 0n,
  reversePending: 0n,
})

const spreads: readonly (readonly [string, SaleRecord, readonly bigint[], readonly (readonly bigint[])[]])[] = [
  ['a card pays lines by their money', saleOf(line(1_200n), line(600n)), [900n], [[600n, 300n]]],
  ['what points paid is not paid again', saleOf(line(1_000n, { paid: 50n }), line(500n)), [100n], [[50n, 50n]]],
  [
    'the next card pays what is left of each line',
    saleOf(line(1n), line(1n)),
    [1n, 1n],
    [
      [1n, 0n],
      [0n, 1n],
    ],
  ],
  ['a line of nothing has no part', saleOf(line(0n), line(7n)), [7n], [[0n, 7n]]],
]

test('c21.13: what gift cards pay is spread over the lines, each sum exact and no line overpaid', () => {
  for (const [rule, sale, amounts, parts] of spreads) {
    const asked = amounts.map((amountMinor, index) => ({ cardId: String(index), amountMinor }))
    const payments = spreadPayments(sale, asked, 'cash')
    assert.deepEqual(
      payments.map(({ lineParts }) => lineParts),
      parts,
      rule,
    )
  }
})

test('c21.13: a sale and the return of all of it in any parts book the same, with signs turned', () => {
  const sale = saleOf(line(1_001n, { quantity: 3n, paid: 7n, discountMinor: 100n }), line(500n, { quantity: 2n }))
  const payments = spreadPayments(
    sale,
    [
      { cardId: 'a', amountMinor: 333n },
      { cardId: 'b', amountMinor: 444n },
    ],
    'card',
  )
  const booked = new Map<string, bigint>()
  const add = (entries: ReturnType<typeof saleEntries>) => {
    assert.equal(sum(entries.map(({ amountMinor }) => amountMinor)), 0n)
    for (const { account, party, amountMinor } of entries) {
      const name = `${account} ${party}`
      booked.set(name, (booked.get(name) ?? 0n) + amountMinor)
    }
  }
  add(saleEntries(sale, payments))
  assert.deepEqual([booked.get('shelf '), booked.get('tender points'), booked.get('tender card')], [-1_601n, 70n, 654n])
  let before = sale
  for (const at of [0, 1, 0, 1, 0]) {
    const lines = before.lines.map((one, index) => (index === at ? { ...one, returned: one.returned + 1n } : one))
    const after = { ...before, lines }
    for (const part of returnedParts(payments, before.lines, after.lines)) assert(part >= 0n)
    add(returnEntries(before, after, { payments, cards: ['a', 'b'] }))
    before = after
  }
  for (const [name, amount] of booked) assert.equal(amount, 0n, name)
})
