import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settledCard } from './books.ts'
import {
  activateCard,
  blockCard,
  cancelCardHold,
  commitCardHold,
  freeOf,
  type GiftCard,
  type GiftCardRefusal,
  giveBackToCard,
  heldOf,
  holdOnCard,
  OPEN_HOLDS_MAX,
  payByCard,
  refundCard,
  reloadCard,
  replaceCard,
  returnCommitted,
} from './card.ts'

const card: GiftCard = {
  cardId: 'a',
  code: 'A',
  pin: '',
  batchId: 'b',
  valueMinor: 3_000n,
  state: 'issued',
  balanceMinor: 0n,
  isSold: false,
  isUsed: false,
  expiresAtMs: Number.POSITIVE_INFINITY,
  replacedBy: undefined,
  holds: [],
}

function of(outcome: GiftCard | GiftCardRefusal): GiftCard {
  assert(!('ok' in outcome), why(outcome))
  return outcome
}

function why(outcome: object): string {
  return 'reason' in outcome ? String(outcome.reason) : 'done'
}

/** A card of 3,000 that ends at 1,000. */
const sold = of(activateCard(card, 1_000))
const holdOf = (holdId: string, amountMinor: bigint, expiresAtMs: number) => {
  return { holdId, reference: holdId, amountMinor, createdAtMs: 0, expiresAtMs }
}
const held = of(holdOnCard(sold, holdOf('h', 1_000n, 2_000)))
const captured = of(commitCardHold(held, 'h', { amountMinor: 800n, receiptId: undefined }))
const blocked = of(blockCard(held))
const spent = of(payByCard(sold, 3_000n))

test('c21.13: each state of a card allows what it allows', () => {
  const allowed: readonly (readonly [string, object, string])[] = [
    ['only an issued card is sold', activateCard(sold, 1), 'invalid'],
    ['an issued card pays nothing', payByCard(card, 1n), 'invalid'],
    ['a card pays all that is on it', payByCard(sold, 3_000n), 'done'],
    ['a card pays no more', payByCard(sold, 3_001n), 'insufficient'],
    ['what is held pays nothing else', payByCard(held, 2_001n), 'insufficient'],
    ['an empty card is reloaded', reloadCard(spent, 500n, { mostMinor: 500n, expiresAtMs: 9 }), 'done'],
    [
      'no card is reloaded above the most',
      reloadCard(sold, 1n, { mostMinor: 3_000n, expiresAtMs: 9 }),
      'not_reloadable',
    ],
    ['an expired card pays nothing', payByCard(settledCard(sold, 1_000).card, 1n), 'expired'],
    ['a blocked card pays nothing', payByCard(blocked, 1n), 'invalid'],
    ['a blocked card is not blocked again', blockCard(blocked), 'not_blockable'],
    ['an unused card is paid back', refundCard(sold), 'done'],
    ['a held card is not paid back', refundCard(held), 'used'],
    ['a used card is never paid back', refundCard(giveBackToCard(spent, 3_000n, 9)), 'used'],
    ['only a blocked card is replaced', replaceCard(sold, { ...card, cardId: 'n' }, 9), 'not_blocked'],
    ['a card that was never sold has no money to give', replaceCard(of(blockCard(card)), card, 9), 'not_blocked'],
    [
      'a hold is captured once',
      commitCardHold(captured, 'h', { amountMinor: 1n, receiptId: undefined }),
      'hold_resolved',
    ],
    [
      'no more than a hold is captured',
      commitCardHold(held, 'h', { amountMinor: 1_001n, receiptId: 'r' }),
      'exceeds_hold',
    ],
    ['a hold that nobody made is not captured', cancelCardHold(held, 'x'), 'hold_not_found'],
    ['a hold of a blocked card was given up', cancelCardHold(blocked, 'h'), 'hold_resolved'],
    ['what was captured comes back', returnCommitted(captured, 'h', 800n), 'done'],
    ['no more than that comes back', returnCommitted(captured, 'h', 801n), 'exceeds_payment'],
    ['an open hold has nothing to give back', returnCommitted(held, 'h', 1n), 'hold_not_found'],
  ]
  for (const [rule, outcome, reason] of allowed) assert.equal(why(outcome), reason, rule)
})

test('c6: what is not captured of a hold is free again', () => {
  assert.deepEqual([freeOf(held), heldOf(held)], [2_000n, 1_000n])
  assert.deepEqual([freeOf(captured), heldOf(captured)], [2_200n, 0n])
  assert.equal(freeOf(of(cancelCardHold(held, 'h'))), 3_000n)
})

test('c6: a new hold for the same basket replaces the open one', () => {
  const again = of(holdOnCard(held, { ...holdOf('i', 3_000n, 2_000), reference: 'h' }))
  assert.deepEqual([freeOf(again), heldOf(again)], [0n, 3_000n])
  assert.deepEqual(
    again.holds.map(({ state }) => state),
    ['cancelled', 'open'],
  )
})

test('c4: a card is usable up to its end, held money up to the end of its hold, and breakage is dated at either', () => {
  const at = (nowMs: number) => {
    const { card: after, postings } = settledCard(held, nowMs)
    const dated = postings.map(({ occurredAtMs, entries }) => [occurredAtMs, entries[0]?.amountMinor])
    return [after.state, after.balanceMinor, dated]
  }
  assert.deepEqual(at(999), ['active', 3_000n, []])
  assert.deepEqual(at(1_000), ['expired', 1_000n, [[1_000, 2_000n]]])
  assert.deepEqual(at(2_000), [
    'expired',
    0n,
    [
      [1_000, 2_000n],
      [2_000, 1_000n],
    ],
  ])
})

test('c6: a card has only so many open holds', () => {
  let full = sold
  for (let index = 0; index < OPEN_HOLDS_MAX; index += 1) full = of(holdOnCard(full, holdOf(`h${index}`, 1n, 2_000)))
  assert.equal(why(holdOnCard(full, holdOf('x', 1n, 2_000))), 'too_many_holds')
  assert.equal(why(holdOnCard(full, { ...holdOf('x', 1n, 2_000), reference: 'h1' })), 'done', 'instead of its own')
})

test('c6: a hold that ends before its card gives the money back to it', () => {
  const short = of(holdOnCard(sold, holdOf('s', 1_000n, 500)))
  assert.deepEqual([freeOf(settledCard(short, 500).card), settledCard(short, 500).postings], [3_000n, []])
  assert.equal(
    why(commitCardHold(settledCard(short, 500).card, 's', { amountMinor: 1n, receiptId: 'r' })),
    'hold_expired',
  )
})

test('c4: an expired card can still be charged what was held in time', () => {
  const expired = settledCard(held, 1_500).card
  const charged = of(commitCardHold(expired, 'h', { amountMinor: 700n, receiptId: 'r' }))
  const { card: after, postings } = settledCard(charged, 1_500)
  assert.deepEqual([after.balanceMinor, postings[0]?.entries[0]?.amountMinor], [0n, 300n], 'the rest ends at once')
})

test('c21.13: EMPTY reopens, an expired card gets its grace, a blocked one keeps what comes back', () => {
  assert.deepEqual(
    [giveBackToCard(spent, 600n, 9_000).balanceMinor, giveBackToCard(spent, 600n, 9_000).expiresAtMs],
    [600n, 1_000],
  )
  const expired = giveBackToCard(settledCard(spent, 1_000).card, 600n, 9_000)
  assert.deepEqual([expired.state, expired.balanceMinor, expired.expiresAtMs], ['active', 600n, 9_000])
  const lost = giveBackToCard(of(blockCard(spent)), 600n, 9_000)
  assert.deepEqual([lost.state, lost.balanceMinor], ['blocked', 600n])
})

test('c21.13: a replacement has the money and the term of its card, at least the grace, and was as little used', () => {
  const identity = { cardId: 'n', code: 'N', pin: '1' }
  const replaced = replaceCard(blocked, identity, 700)
  assert(!('ok' in replaced))
  assert.deepEqual([replaced.card.balanceMinor, replaced.card.replacedBy], [0n, 'n'])
  const { state, balanceMinor, expiresAtMs, isUsed, holds } = replaced.replacement
  assert.deepEqual([state, balanceMinor, expiresAtMs, isUsed, holds], ['active', 3_000n, 1_000, false, []])
  const late = replaceCard(blocked, identity, 7_000)
  assert(!('ok' in late) && late.replacement.expiresAtMs === 7_000)
})
