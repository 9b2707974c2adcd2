import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { undiscounted } from './discounts/basket.ts'
import { DAY_MS, Story, saleLine, testProgramme } from './fixture.ts'
import type { Programme } from './programme.ts'
import type { ReturnOutcome } from './return.ts'
import type { SaleOutcome, SaleRecord } from './sale.ts'
import { expirySchedule } from './view.ts'

const YEAR_MS = 365 * DAY_MS

interface SaleTerms {
  readonly activatesAtMs?: number
  readonly expiresAtMs?: number
  readonly slidesToMs?: number
  readonly programme?: Partial<Programme>
  readonly holdId?: string
  readonly pointsToPay?: bigint
}

/** Lines of 100 points each, at 5 %. */
function sell(story: Story, lines: number, terms: SaleTerms = {}): SaleOutcome {
  const { activatesAtMs = 0, expiresAtMs = YEAR_MS, slidesToMs, programme, holdId = '', pointsToPay = 0n } = terms
  const { outcome } = story.do({
    kind: 'sale',
    receiptId: story.newId(),
    storeId: 'store',
    occurredAtMs: story.nowMs,
    basket: undiscounted(Array.from({ length: lines }, () => saleLine(2_000n))),
    programme: { ...testProgramme, ...programme },
    holdId,
    pointsToPay,
    earnedTerm: { activatesAtMs, expiresAtMs },
    slidesToMs,
    tierHundredths: 100n,
  })
  assert(outcome.kind === 'sale')
  return outcome
}

function giveBack(
  story: Story,
  sale: SaleRecord,
  lines: readonly number[],
  policies: Partial<Programme> = {},
  graceExpiresAtMs: number | undefined = story.nowMs + 15 * DAY_MS,
): ReturnOutcome {
  const { outcome } = story.do({
    kind: 'return',
    receiptId: story.newId(),
    occurredAtMs: story.nowMs,
    sale,
    lines: lines.map((lineIndex) => ({ lineIndex, quantity: 1n })),
    policies: { ...testProgramme, ...policies },
    graceExpiresAtMs,
  })
  assert(outcome.kind === 'return')
  return outcome
}

const totals = ({ account: { available, pending, held, debt } }: Story) => ({ available, pending, held, debt })
const kinds = (story: Story, decision: { readonly postings: readonly { readonly kind: string }[] }) =>
  [story.nowMs, ...decision.postings.map(({ kind }) => kind)].slice(1)

describe('pending points', () => {
  test('cannot be spent before they are active, and become so at their instant', () => {
    const story = new Story()
    sell(story, 1, { activatesAtMs: 10 * DAY_MS })
    assert.deepEqual(totals(story), { available: 0n, pending: 100n, held: 0n, debt: 0n })
    const early = story.try({ kind: 'hold', holdId: 'h', points: 1n, reference: 'r', expiresAtMs: 99 * DAY_MS })
    assert.deepEqual(early, { ok: false, reason: 'insufficient_points', available: 0n })
    story.nowMs = 10 * DAY_MS
    const decision = story.do({ kind: 'settle' })
    assert.deepEqual(kinds(story, decision), ['activate'])
    assert.equal(decision.postings[0]?.occurredAtMs, 10 * DAY_MS)
    assert.deepEqual(totals(story), { available: 100n, pending: 0n, held: 0n, debt: 0n })
  })

  test('are partly taken back by a partial return before they are active', () => {
    const story = new Story()
    const { sale } = sell(story, 3, { activatesAtMs: 10 * DAY_MS })
    assert.equal(giveBack(story, sale, [1]).reversed, 100n)
    assert.deepEqual(totals(story), { available: 0n, pending: 200n, held: 0n, debt: 0n })
  })

  test('are activated before those that end at the same instant expire', () => {
    const story = new Story()
    story.grant(50n, 10 * DAY_MS)
    sell(story, 1, { activatesAtMs: 10 * DAY_MS })
    story.nowMs = 10 * DAY_MS
    assert.deepEqual(kinds(story, story.do({ kind: 'settle' })), ['activate', 'expire'])
    assert.equal(story.account.available, 100n)
  })

  test('repay what the member owes when they become active, as far as their share goes', () => {
    const story = new Story()
    const { sale } = sell(story, 1)
    story.spend(100n)
    giveBack(story, sale, [0])
    sell(story, 1, { activatesAtMs: 10 * DAY_MS, programme: { repayBasisPoints: 3_000n } })
    story.nowMs = 10 * DAY_MS
    story.do({ kind: 'settle' })
    assert.deepEqual(totals(story), { available: 70n, pending: 0n, held: 0n, debt: 70n })
  })

  test('that wait for an event are activated by it, with a term from then on', () => {
    const story = new Story()
    const { sale } = sell(story, 1, { activatesAtMs: Number.POSITIVE_INFINITY, expiresAtMs: 30 * DAY_MS })
    story.nowMs = 20 * DAY_MS
    story.do({ kind: 'activate', causeId: sale.receiptId, expiresAtMs: 400 * DAY_MS })
    story.nowMs = 40 * DAY_MS
    story.do({ kind: 'settle' })
    assert.equal(story.account.available, 100n)
    const again = story.try({ kind: 'activate', causeId: sale.receiptId, expiresAtMs: YEAR_MS })
    assert.deepEqual(again, { ok: false, reason: 'nothing_pending' })
  })

  test('that nobody activates in time are taken back and were never issued', () => {
    const story = new Story()
    sell(story, 1, { activatesAtMs: Number.POSITIVE_INFINITY, expiresAtMs: 30 * DAY_MS })
    story.nowMs = 30 * DAY_MS
    const { postings } = story.do({ kind: 'settle' })
    assert.deepEqual(postings[0]?.entries, [
      { account: 'issued', amount: 100n },
      { account: 'pending', amount: -100n },
    ])
    assert.equal(story.account.lifetimeEarned, 0n)
  })
})

describe('what a return may take back', () => {
  const spentStory = (policies: Partial<Programme>, terms: SaleTerms = {}) => {
    const story = new Story()
    const { sale } = sell(story, 1, terms)
    if (terms.activatesAtMs === undefined) story.spend(80n)
    const outcome = giveBack(story, sale, [0], policies)
    return { reversed: outcome.reversed, ...totals(story) }
  }

  test('unlimited: what is not there becomes debt', () => {
    assert.deepEqual(spentStory({}), { reversed: 100n, available: 0n, pending: 0n, held: 0n, debt: 80n })
  })
  test('within the balance: what is not there is forgiven', () => {
    const expected = { reversed: 20n, available: 0n, pending: 0n, held: 0n, debt: 0n }
    assert.deepEqual(spentStory({ returnPolicy: 'within_balance' }), expected)
  })
  test('only pending: what is active stays', () => {
    const expected = { reversed: 0n, available: 20n, pending: 0n, held: 0n, debt: 0n }
    assert.deepEqual(spentStory({ returnPolicy: 'only_pending' }), expected)
    const pending = spentStory({ returnPolicy: 'only_pending' }, { activatesAtMs: DAY_MS })
    assert.deepEqual(pending, { reversed: 100n, available: 0n, pending: 0n, held: 0n, debt: 0n })
  })
  test('c10: a later return leaves what earlier ones took, over the limit of debt and after the end', () => {
    for (const later of [{ debtLimit: 10n }, { spendUntilMs: 0 }]) {
      const story = new Story()
      const { sale } = sell(story, 2)
      story.spend(story.account.available)
      const first = giveBack(story, sale, [0], {})
      const { debt } = story.account
      const second = giveBack(story, first.sale, [1], later)
      assert.deepEqual([second.reversed, story.account.debt], [0n, debt])
    }
  })
  test('debt has a limit; what is beyond is forgiven', () => {
    const expected = { reversed: 50n, available: 0n, pending: 0n, held: 0n, debt: 30n }
    assert.deepEqual(spentStory({ debtLimit: 30n }), expected)
  })

  for (const returnPolicy of ['unlimited', 'within_balance', 'only_pending'] as const) {
    test(`${returnPolicy}: returns in parts end as one return, in any order`, () => {
      const ends = [[[0, 1, 2]], [[0], [1], [2]], [[2], [0, 1]], [[1], [2], [0]]].map((parts) => {
        const story = new Story()
        story.grant(130n, 20 * DAY_MS)
        const holdId = story.hold(90n)
        let { sale } = sell(story, 3, { holdId, pointsToPay: 90n })
        story.spend(200n)
        story.nowMs = 30 * DAY_MS
        for (const part of parts) sale = giveBack(story, sale, part, { returnPolicy }).sale
        return { ...totals(story), lots: [...story.account.lots.values()].map(({ available }) => available).sort() }
      })
      for (const end of ends) assert.deepEqual(end, ends[0])
    })
  }
})

describe('points that come back to a lot which has ended', () => {
  const restored = (graceExpiresAtMs: number | undefined) => {
    const story = new Story()
    story.grant(100n, 20 * DAY_MS)
    const { sale } = sell(story, 1, { holdId: story.hold(100n), pointsToPay: 100n, programme: { earnBasisPoints: 0n } })
    story.nowMs = 30 * DAY_MS
    const { outcome } = story.do({
      kind: 'return',
      receiptId: 'back',
      occurredAtMs: story.nowMs,
      sale,
      lines: [{ lineIndex: 0, quantity: 1n }],
      policies: testProgramme,
      graceExpiresAtMs,
    })
    assert(outcome.kind === 'return')
    return { restored: outcome.restored, available: story.account.available }
  }
  test('live on as long as the policy says', () => {
    assert.deepEqual(restored(45 * DAY_MS), { restored: 100n, available: 100n })
  })
  test('end at once where it says nothing', () => {
    assert.deepEqual(restored(undefined), { restored: 100n, available: 0n })
  })
  test('are written off when the programme is over, and nobody owes anything then', () => {
    const story = new Story()
    story.grant(100n, 20 * DAY_MS)
    const { sale } = sell(story, 1, { holdId: story.hold(100n), pointsToPay: 100n, expiresAtMs: 20 * DAY_MS })
    story.nowMs = 30 * DAY_MS
    const outcome = giveBack(story, sale, [0], { spendUntilMs: 20 * DAY_MS })
    assert.deepEqual([outcome.restored, outcome.writtenOff, outcome.reversed], [100n, 100n, 0n])
    assert.deepEqual(totals(story), { available: 0n, pending: 0n, held: 0n, debt: 0n })
  })
})

test('a purchase begins the term of live points anew where they end without purchases', () => {
  const story = new Story()
  const lotId = story.grant(50n, 20 * DAY_MS)
  story.nowMs = 10 * DAY_MS
  sell(story, 1, { slidesToMs: 30 * DAY_MS, programme: { earnBasisPoints: 0n } })
  assert.equal(story.account.lots.get(lotId)?.expiresAtMs, 30 * DAY_MS)
  story.nowMs = 29 * DAY_MS
  assert.equal(story.do({ kind: 'settle' }).account.available, 50n)
})

test('outside of its time a programme gives nothing', () => {
  const story = new Story()
  const programme = { startsAtMs: DAY_MS, earnUntilMs: 2 * DAY_MS }
  const earned = [0, 1, 2].map((day) => {
    story.nowMs = day * DAY_MS
    return sell(story, 1, { programme }).earned
  })
  assert.deepEqual(earned, [0n, 100n, 0n])
})

describe('points without a receipt', () => {
  const grant = (story: Story, points: bigint, expiresAtMs = YEAR_MS) =>
    story.do({
      kind: 'grant',
      grantId: story.newId(),
      points,
      occurredAtMs: story.nowMs,
      earnedTerm: { activatesAtMs: 0, expiresAtMs },
      funder: 'brand',
      repayBasisPoints: 10_000n,
      against: 'issued',
    })

  test('sent to another member keep their term and who bears their cost', () => {
    const from = new Story('from')
    const to = new Story('to')
    grant(from, 100n, 50 * DAY_MS)
    grant(from, 100n, 90 * DAY_MS)
    const { outcome } = from.do({ kind: 'send', transferId: 't', points: 150n })
    assert(outcome.kind === 'send')
    to.do({ kind: 'receive', transferId: 't', parts: outcome.parts })
    assert.deepEqual(
      [...to.account.lots.values()].map(({ available, expiresAtMs, funder }) => [available, expiresAtMs, funder]),
      [
        [100n, 50 * DAY_MS, 'brand'],
        [50n, 90 * DAY_MS, 'brand'],
      ],
    )
    assert.equal(from.account.available, 50n)
  })

  test('c11: several lots that arrive at once repay a debt once, and the rest stays', () => {
    const story = new Story()
    const take = { kind: 'revoke', revokeId: 'r', points: 30n, occurredAtMs: 0, grantId: undefined } as const
    story.do({ ...take, against: 'issued', mayMakeDebt: true })
    const part = { earnedAtMs: 0, expiresAtMs: YEAR_MS, funder: 'brand', repayBasisPoints: 10_000n }
    const parts = [20n, 20n, 20n].map((points) => ({ ...part, points }))
    story.do({ kind: 'receive', transferId: 't', parts })
    assert.deepEqual([story.account.debt, story.account.available], [0n, 30n])
    assert.deepEqual(
      [...story.account.lots.values()].map(({ available }) => available),
      [0n, 10n, 20n],
    )
  })

  test('c4: points that never end have no place in the schedule of ends', () => {
    const story = new Story()
    grant(story, 10n, Number.POSITIVE_INFINITY)
    grant(story, 5n, YEAR_MS)
    assert.deepEqual(expirySchedule(story.account), [{ expiresAtMs: YEAR_MS, points: 5n }])
  })

  test('are not sent by whoever owes points, nor more than are there', () => {
    const story = new Story()
    grant(story, 10n)
    assert.deepEqual(story.try({ kind: 'send', transferId: 't', points: 11n }), {
      ok: false,
      reason: 'insufficient_points',
      available: 10n,
    })
    const take = { kind: 'revoke', revokeId: 'r', points: 30n, occurredAtMs: 0, grantId: undefined } as const
    assert.deepEqual(story.try({ ...take, against: 'adjusted', mayMakeDebt: false }), {
      ok: false,
      reason: 'insufficient_points',
      available: 10n,
    })
    story.do({ ...take, against: 'issued', mayMakeDebt: true })
    assert.deepEqual(story.try({ kind: 'send', transferId: 't', points: 1n }), {
      ok: false,
      reason: 'owes_points',
      debt: 20n,
    })
  })
})
