import assert from 'node:assert/strict'
import { test } from 'node:test'
import { undiscounted } from './discounts/basket.ts'
import { DAY_MS, Story, testProgramme } from './fixture.ts'
import type { Programme } from './programme.ts'
import type { SaleRecord } from './sale.ts'

/** Days of the example, from 1 January. */
const JANUARY_END = 31 * DAY_MS
const JUNE_END = 181 * DAY_MS
const programme: Programme = {
  ...testProgramme,
  neverPaid: { skus: new Set(['c']), categories: new Set() },
  activation: { kind: 'delay', days: 14 },
}
const line = (sku: string, amountMinor: bigint) => ({ sku, category: '', quantity: 1n, amountMinor })

/** Lines A 6,000, B 3,000 and C 1,000, which points may not pay, paid with 4,000 points from two lots. */
function sold() {
  const story = new Story()
  const first = story.grant(1_200n, JANUARY_END)
  const second = story.grant(5_000n, JUNE_END)
  const { outcome } = story.do({
    kind: 'sale',
    receiptId: 'sale',
    storeId: 'store',
    occurredAtMs: 0,
    basket: undiscounted([line('a', 6_000n), line('b', 3_000n), line('c', 1_000n)]),
    programme,
    holdId: story.hold(4_000n),
    pointsToPay: 4_000n,
    tierHundredths: 100n,
    earnedTerm: { activatesAtMs: 14 * DAY_MS, expiresAtMs: 379 * DAY_MS },
    slidesToMs: undefined,
  })
  assert(outcome.kind === 'sale')
  return { story, first, second, sale: outcome.sale }
}

function giveBack(story: Story, sale: SaleRecord, lineIndex: number) {
  const { outcome } = story.do({
    kind: 'return',
    receiptId: story.newId(),
    occurredAtMs: story.nowMs,
    sale,
    lines: [{ lineIndex, quantity: 1n }],
    policies: programme,
    graceExpiresAtMs: story.nowMs + 15 * DAY_MS,
  })
  assert(outcome.kind === 'return')
  return outcome
}

test('the sale: points and money by line, lots first to expire first, 300 points pending', () => {
  const { story, first, second, sale } = sold()
  assert.deepEqual(
    sale.lines.map(({ paid, earned, amountMinor }) => [paid, amountMinor - paid, earned]),
    [
      [2_667n, 3_333n, 167n],
      [1_333n, 1_667n, 83n],
      [0n, 1_000n, 50n],
    ],
  )
  assert.deepEqual(sale.spendDraws, [
    { lotId: first, points: 1_200n },
    { lotId: second, points: 2_800n },
  ])
  assert.deepEqual([story.account.available, story.account.pending], [2_200n, 300n])
})

test('B back on day 10: 1,333 to the second lot, 83 pending points are cancelled, 1,667 refunded', () => {
  const { story, second, sale } = sold()
  story.nowMs = 10 * DAY_MS
  const { restored, reversed, refundMinor } = giveBack(story, sale, 1)
  assert.deepEqual([restored, reversed, refundMinor], [1_333n, 83n, 1_667n])
  assert.deepEqual([story.left(second), story.account.pending], [3_533n, 217n])
})

test('A back on day 40, all else being spent: 1,467 and 1,200 come back, the second as grace, then 167 go, and no debt arises', () => {
  const { story, first, second, sale } = sold()
  story.nowMs = 10 * DAY_MS
  const { sale: after } = giveBack(story, sale, 1)
  story.nowMs = 40 * DAY_MS
  story.do({ kind: 'settle' })
  story.spend(story.account.available)
  const { restored, reversed, refundMinor, debt } = giveBack(story, after, 0)
  assert.deepEqual([restored, reversed, refundMinor, debt], [2_667n, 167n, 3_333n, 0n])
  const grace = [...story.account.lots.values()].find(({ originLotId }) => originLotId === first)
  assert.equal(grace?.amount, 1_200n)
  const restoredLots = (story.left(second) ?? 0n) + (grace?.available ?? 0n)
  assert.equal(restoredLots, 2_667n - 167n)
  assert.equal(story.account.debt, 0n)
})
