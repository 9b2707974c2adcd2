import assert from 'node:assert/strict'
import { test } from 'node:test'
import { undiscounted } from './discounts/basket.ts'
import { draftAccount, openDraft } from './draft.ts'
import { DAY_MS, Story, saleLine, spendableUntil, testProgramme } from './fixture.ts'
import type { PricedLine } from './pricing.ts'
import type { SaleRecord } from './sale.ts'
import { applyPricedSale } from './sale.ts'
import { allocate } from './shares.ts'
import { viewAt } from './view.ts'

const NEVER = 10_000 * DAY_MS

function sale(story: Story, lines: readonly bigint[], holdId = '', pointsToPay = 0n, expiresAtMs = NEVER): SaleRecord {
  const decision = story.do({
    kind: 'sale',
    receiptId: story.newId(),
    storeId: 'store',
    occurredAtMs: story.nowMs,
    basket: undiscounted(lines.map((amount) => saleLine(amount))),
    programme: testProgramme,
    holdId,
    pointsToPay,
    ...spendableUntil(expiresAtMs),
  })
  assert(decision.outcome.kind === 'sale')
  return decision.outcome.sale
}

function giveBack(story: Story, record: SaleRecord, lineIndex: number, quantity = 1n) {
  const decision = story.do({
    kind: 'return',
    receiptId: story.newId(),
    occurredAtMs: story.nowMs,
    sale: record,
    lines: [{ lineIndex, quantity }],
    policies: testProgramme,
    graceExpiresAtMs: story.nowMs + 15 * DAY_MS,
  })
  assert(decision.outcome.kind === 'return')
  return decision.outcome
}

test('the worked example of a return in two parts comes out to the point', () => {
  const story = new Story()
  const l1 = story.grant(1_200n, 31 * DAY_MS)
  const l2 = story.grant(5_000n, 181 * DAY_MS)
  const holdId = story.hold(4_000n)
  // C cannot be paid with points.
  const paid = allocate(4_000n, [6_000n, 3_000n, 0n])
  const amounts = [6_000n, 3_000n, 1_000n]
  const earned = allocate(
    300n,
    amounts.map((amount, index) => amount - (paid[index] ?? 0n)),
  )
  const lines: PricedLine[] = amounts.map((amount, index) => ({
    ...saleLine(amount),
    paid: paid[index] ?? 0n,
    earned: earned[index] ?? 0n,
    discountMinor: 0n,
  }))
  const draft = openDraft(story.account, story.newId)
  const posted = applyPricedSale(
    draft,
    {
      receiptId: 'receipt',
      occurredAtMs: 0,
      lines,
      explanations: [],
      holdId,
      earnedTerm: spendableUntil(365 * DAY_MS).earnedTerm,
    },
    testProgramme,
    0,
  )
  assert(!('ok' in posted))
  story.account = draftAccount(draft)
  assert.deepEqual(posted.sale.spendDraws, [
    { lotId: l1, points: 1_200n },
    { lotId: l2, points: 2_800n },
  ])
  assert.deepEqual([posted.earned, posted.spent, posted.totalMinor], [300n, 4_000n, 10_000n])
  assert.equal(story.account.available, 2_200n + 300n)

  story.nowMs = 10 * DAY_MS
  const first = giveBack(story, posted.sale, 1)
  assert.deepEqual([first.refundMinor, first.restored, first.reversed], [1_667n, 1_333n, 83n])
  assert.equal(story.left(l2), 2_200n + 1_333n)
  assert.equal(story.left(posted.sale.lotId ?? ''), 217n)

  story.nowMs = 40 * DAY_MS
  story.spend(story.account.available)
  const second = giveBack(story, first.sale, 0)
  assert.deepEqual([second.refundMinor, second.restored, second.reversed], [3_333n, 2_667n, 167n])
  assert.equal(story.left(l2), 1_467n)
  const grace = [...story.account.lots.values()].find((lot) => lot.originLotId === l1)
  assert.equal(grace?.amount, 1_200n)
  assert.equal(grace?.available, 1_200n - 167n)
  assert.equal(story.account.debt, 0n)
})

test('what expires first is spent first, whenever it was earned', () => {
  const story = new Story()
  const late = story.grant(50n, 30 * DAY_MS)
  const soon = story.grant(50n, 10 * DAY_MS)
  story.spend(60n)
  assert.equal(story.left(soon), 0n)
  assert.equal(story.left(late), 40n)
})

test('a lot can be used until the instant before it ends, not at that instant', () => {
  const story = new Story()
  story.grant(50n, 10 * DAY_MS)
  story.nowMs = 10 * DAY_MS - 1
  assert.equal(viewAt(story.account, story.nowMs).available, 50n)
  story.nowMs += 1
  assert.equal(viewAt(story.account, story.nowMs).available, 0n)
  const refused = story.try({ kind: 'hold', holdId: 'h', points: 1n, reference: 'r', expiresAtMs: NEVER })
  assert.deepEqual(refused, { ok: false, reason: 'insufficient_points', available: 0n })
})

test('the sweeper posts a breakage once, dated at the end of the lot', () => {
  const story = new Story()
  story.grant(50n, 10 * DAY_MS)
  story.nowMs = 12 * DAY_MS
  const [posting, ...others] = story.do({ kind: 'settle' }).postings
  assert.equal(others.length, 0)
  assert.equal(posting?.kind, 'expire')
  assert.equal(posting?.occurredAtMs, 10 * DAY_MS)
  assert.deepEqual(
    new Map(posting?.entries.map(({ account, amount }) => [account, amount])),
    new Map([
      ['expired', 50n],
      ['available', -50n],
    ]),
  )
  assert.equal(story.do({ kind: 'settle' }).postings.length, 0)
})

test('a held lot outlives its end until the hold does', () => {
  const story = new Story()
  const lot = story.grant(50n, DAY_MS / 2)
  const used = story.hold(30n)
  story.nowMs = DAY_MS - 1
  story.do({ kind: 'commit', holdId: used, points: 10n })
  // The 20 that were not used went back to a lot that has ended.
  assert.deepEqual([story.account.available, story.account.held], [0n, 0n])
  assert.equal(story.left(lot), 0n)
})

test('a hold that passes its deadline gives its points back and can no longer be used', () => {
  const story = new Story()
  story.grant(50n, NEVER)
  const holdId = story.hold(30n)
  assert.equal(viewAt(story.account, DAY_MS - 1).available, 20n)
  story.nowMs = DAY_MS
  assert.equal(viewAt(story.account, DAY_MS).available, 50n)
  assert.deepEqual(story.try({ kind: 'commit', holdId, points: 30n }), { ok: false, reason: 'hold_expired' })
})

test('a new hold of the same reference replaces the open one, also when only both together would be too much', () => {
  const story = new Story()
  story.grant(50n, NEVER)
  const first = story.hold(40n, 'basket')
  story.hold(45n, 'basket')
  assert.deepEqual([story.account.available, story.account.held], [5n, 45n])
  assert.deepEqual(story.try({ kind: 'cancel', holdId: first }), { ok: false, reason: 'hold_resolved' })
  const refused = story.try({ kind: 'hold', holdId: 'h', points: 51n, reference: 'basket', expiresAtMs: NEVER })
  assert.deepEqual(refused, { ok: false, reason: 'insufficient_points', available: 50n })
  assert.equal(story.account.held, 45n)
})

test('a sale uses a part of its hold and gives the rest back to the lots that end last', () => {
  const story = new Story()
  const soon = story.grant(50n, 10 * DAY_MS)
  const late = story.grant(50n, 30 * DAY_MS)
  const record = sale(story, [1_000n], story.hold(80n), 60n)
  assert.deepEqual(record.spendDraws, [
    { lotId: soon, points: 50n },
    { lotId: late, points: 10n },
  ])
  assert.equal(story.left(late), 40n)
  // 5 % of the 940 that were paid in money.
  assert.equal(story.account.available, 40n + 47n)
})

test('a sale is refused when its points exceed the hold or what points may pay', () => {
  const story = new Story()
  story.grant(500n, NEVER)
  const holdId = story.hold(100n)
  const base = {
    kind: 'sale' as const,
    receiptId: 'r',
    storeId: 'store',
    occurredAtMs: 0,
    basket: undiscounted([saleLine(200n)]),
    programme: { ...testProgramme, maxPayBasisPoints: 2_000n },
    holdId,
    ...spendableUntil(NEVER),
  }
  assert.deepEqual(story.try({ ...base, pointsToPay: 41n }), { ok: false, reason: 'points_exceed_receipt', limit: 40n })
  const wide = { ...base, programme: testProgramme, pointsToPay: 101n }
  assert.deepEqual(story.try(wide), { ok: false, reason: 'points_exceed_hold', points: 100n })
})

test('a return takes back from its own lot, then from others, then makes debt, which new points pay first', () => {
  const story = new Story()
  const record = sale(story, [2_000n])
  story.spend(70n)
  const other = story.grant(20n, DAY_MS)
  const outcome = giveBack(story, record, 0)
  assert.deepEqual([outcome.reversed, outcome.debt], [100n, 50n])
  assert.equal(story.left(other), 0n)
  assert.deepEqual([story.account.available, story.account.debt], [0n, 50n])
  story.grant(80n, NEVER)
  assert.deepEqual([story.account.available, story.account.debt], [30n, 0n])
})

test('more than was sold cannot be returned', () => {
  const story = new Story()
  const record = sale(story, [2_000n])
  const { sale: returned } = giveBack(story, record, 0)
  const again = {
    kind: 'return' as const,
    receiptId: 'x',
    occurredAtMs: 0,
    policies: testProgramme,
    graceExpiresAtMs: NEVER,
  }
  assert.deepEqual(story.try({ ...again, sale: returned, lines: [{ lineIndex: 0, quantity: 1n }] }), {
    ok: false,
    reason: 'return_exceeds_sale',
    lineIndex: 0,
  })
  assert.deepEqual(story.try({ ...again, sale: record, lines: [{ lineIndex: 1, quantity: 1n }] }), {
    ok: false,
    reason: 'line_not_found',
    lineIndex: 1,
  })
})

test('points of a receipt that comes too late are granted and end at once, visibly', () => {
  const story = new Story()
  story.nowMs = 500 * DAY_MS
  const decision = story.do({
    kind: 'sale',
    receiptId: 'old',
    storeId: 'store',
    occurredAtMs: 0,
    basket: undiscounted([saleLine(2_000n)]),
    programme: testProgramme,
    holdId: '',
    pointsToPay: 0n,
    ...spendableUntil(366 * DAY_MS),
  })
  assert.deepEqual(
    decision.postings.map(({ kind, occurredAtMs }) => [kind, occurredAtMs / DAY_MS]),
    [
      ['earn', 0],
      ['expire', 366],
    ],
  )
  assert.equal(story.account.available, 0n)
  assert.equal(story.account.lifetimeEarned, 100n)
})
