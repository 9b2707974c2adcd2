import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateHistory } from './generate.ts'

const endMs = Date.parse('2026-11-21T00:00:00Z')

test('the same seed gives the same purchases', () => {
  assert.deepEqual(generateHistory({ seed: 3, members: 50, endMs }), generateHistory({ seed: 3, members: 50, endMs }))
})

test('more members do not change the first ones', () => {
  const few = generateHistory({ seed: 3, members: 20, endMs })
  const many = generateHistory({ seed: 3, members: 60, endMs })
  assert.deepEqual(many.customers.slice(0, 20), few.customers)
  const ofFew = new Set(few.customers.map(({ reference }) => reference))
  assert.deepEqual(
    many.sales.filter(({ customer }) => ofFew.has(customer)),
    few.sales,
  )
})

test('no purchase lies after the end, and each return names a sale of its customer', () => {
  const { sales, returns } = generateHistory({ seed: 5, members: 200, endMs })
  assert.ok(sales.length > 500)
  assert.ok(returns.length > 5)
  assert.ok(sales.every(({ occurredAt }) => occurredAt.getTime() < endMs))
  assert.ok(returns.every(({ saleIndex, customer }) => sales[saleIndex]?.customer === customer))
})
