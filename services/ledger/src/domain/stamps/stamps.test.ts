import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Story, saleLine, testProgramme } from '../fixture.ts'
import { sum } from '../shares.ts'
import { countedStamps, freePieces, type StampCard, stampLines } from './card.ts'
import { stampReturn } from './stamp.ts'

const coffee: StampCard = {
  cardId: 'coffee',
  goods: undefined,
  stores: new Set(),
  fromMs: Number.NEGATIVE_INFINITY,
  untilMs: Number.POSITIVE_INFINITY,
  amountMinor: undefined,
  target: 5n,
  receiptLimit: undefined,
  rewardCampaignId: undefined,
  liveDays: 0,
  funder: '',
}

/** Buys pieces of a price each, a line per number; answers what the receipt came to. */
function buy(story: Story, card: StampCard, receiptId: string, pieces: readonly bigint[], isLive = true) {
  const lines = pieces.map((quantity) => saleLine(100n * quantity, quantity))
  const stamps = countedStamps(story.account)
  const free = freePieces({ card, stamps, isLive }, lines)
  const left = lines.map((line, index) => ({ ...line, amountMinor: line.amountMinor - (free.parts[index] ?? 0n) }))
  const stamped = stampLines(card, left, free)
  const expiresAtMs = isLive ? Number.POSITIVE_INFINITY : story.nowMs
  const decision = story.do({
    kind: 'stamp',
    receiptId,
    occurredAtMs: story.nowMs,
    lines: stamped,
    term: { activatesAtMs: story.nowMs, expiresAtMs },
    couponTarget: card.rewardCampaignId === undefined ? undefined : card.target,
    funder: '',
  })
  assert(decision.outcome.kind === 'stamp')
  return { free, stamped, outcome: decision.outcome }
}

/** Returns pieces of lines of a receipt. */
function giveBack(story: Story, bought: ReturnType<typeof buy>, returned: readonly (readonly [number, bigint])[]) {
  let sale = bought.outcome.sale
  for (const [lineIndex, quantity] of returned) {
    const indexes = bought.stamped.map((line) => line.lineIndex)
    const decision = story.do({
      kind: 'return',
      receiptId: `return-${lineIndex}-${sale.lines.map((line) => line.returned).join()}`,
      occurredAtMs: story.nowMs,
      sale,
      lines: stampReturn(sale.lines, indexes, [{ lineIndex, quantity }]),
      graceExpiresAtMs: undefined,
      policies: testProgramme,
    })
    assert(decision.outcome.kind === 'return')
    sale = decision.outcome.sale
  }
}

test('c21.6: 5+1, seven cups at no stamps: the sixth is free, one stamp is left; two paid cups back owe one', () => {
  const story = new Story()
  const bought = buy(story, coffee, 'r', [7n])
  assert.deepEqual(bought.free.parts, [100n])
  assert.equal(story.account.available, 1n)
  giveBack(story, bought, [[0, 2n]])
  assert.deepEqual([story.account.available, story.account.debt], [0n, 1n])
  buy(story, coffee, 'next', [3n])
  assert.deepEqual([story.account.available, story.account.debt], [2n, 0n])
})

test('c21.6: the free piece returned restores its stamps', () => {
  const story = new Story()
  buy(story, coffee, 'r1', [5n])
  const bought = buy(story, coffee, 'r2', [1n])
  assert.equal(story.account.available, 0n)
  giveBack(story, bought, [[0, 1n]])
  assert.equal(story.account.available, 5n)
})

const counts: readonly (readonly [about: string, before: bigint, pieces: bigint, free: bigint, left: bigint])[] = [
  ['a card is not full before its last stamp', 0n, 5n, 0n, 5n],
  ['a full card gives the next piece', 5n, 1n, 1n, 0n],
  ['what is more carries over', 4n, 3n, 1n, 1n],
  ['two cards in one receipt', 0n, 12n, 2n, 0n],
]
for (const [about, before, pieces, free, left] of counts) {
  test(`c13: ${about}`, () => {
    const story = new Story()
    if (before > 0n) buy(story, coffee, 'before', [before])
    assert.equal(sum(buy(story, coffee, 'r', [pieces]).free.pieces), free)
    assert.equal(story.account.available, left)
  })
}

test('c13: a receipt gives no more stamps than its limit, and free pieces give none', () => {
  const story = new Story()
  const card = { ...coffee, receiptLimit: 2n }
  assert.equal(buy(story, card, 'r', [9n]).outcome.earned, 2n)
  assert.equal(story.account.available, 2n)
})

test('c13: the cheapest piece is the free one, of equal ones that of the last line', () => {
  const lines = [saleLine(500n), saleLine(300n), saleLine(300n), saleLine(900n, 3n)]
  const { pieces } = freePieces({ card: coffee, stamps: 0n, isLive: true }, lines)
  assert.deepEqual(pieces, [0n, 0n, 0n, 1n])
})

test('c13: money gives stamps by whole amounts, and a full card gives coupons', () => {
  const story = new Story()
  const card = { ...coffee, amountMinor: 150n, rewardCampaignId: 'gift' }
  const { outcome } = buy(story, card, 'r', [10n, 7n])
  assert.equal(outcome.earned, 11n)
  assert.deepEqual([outcome.coupons, outcome.spent, story.account.available], [2n, 10n, 1n])
})

test('c13: a coupon that was given is owed when the goods come back', () => {
  const story = new Story()
  const bought = buy(story, { ...coffee, rewardCampaignId: 'gift' }, 'r', [6n])
  giveBack(story, bought, [[0, 3n]])
  assert.deepEqual([story.account.available, story.account.debt], [0n, 2n])
})

test('stamps of a late receipt that have ended by now fill no card', () => {
  const story = new Story()
  const bought = buy(story, coffee, 'late', [7n], false)
  assert.equal(sum(bought.free.pieces), 0n)
  assert.equal(story.account.available, 0n)
})

test('returns in any order and split end as one full return', () => {
  const lines = fc.array(fc.bigInt({ min: 1n, max: 4n }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 9n }), lines, fc.infiniteStream(fc.nat()), (before, pieces, choices) => {
      const story = new Story()
      if (before > 0n) buy(story, coffee, 'before', [before])
      const start = countedStamps(story.account)
      const bought = buy(story, coffee, 'r', pieces)
      const open = pieces.flatMap((quantity, index) => Array<number>(Number(quantity)).fill(index))
      const order = open.map((line) => ({ line, key: choices.next().value ?? 0 })).sort((a, b) => a.key - b.key)
      giveBack(
        story,
        bought,
        order.map(({ line }) => [line, 1n] as const),
      )
      assert.equal(countedStamps(story.account), start)
      assert.equal(story.account.debt, 0n)
    }),
    { numRuns: 500 },
  )
})
