import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, Story } from '../fixture.ts'
import { donatedMoney, donationEntries, shareOfSale } from './donation.ts'

describe('c21.11: what a fund gets', () => {
  test('300 points at one to one with a match of 50 % are 450', () => {
    const money = donatedMoney(300n, { ratePoints: 1n, rateMinor: 1n, matchBasisPoints: 5_000n })
    assert.deepEqual(money, { moneyMinor: 300n, matchMinor: 150n })
    assert.deepEqual(donationEntries('forest', money), [
      { account: 'cost', party: 'points', amountMinor: 300n },
      { account: 'cost', party: 'match', amountMinor: 150n },
      { account: 'payable', party: 'fund:forest', amountMinor: -450n },
    ])
  })
  test('three points for two minor units, each part rounded down once', () => {
    const money = donatedMoney(100n, { ratePoints: 3n, rateMinor: 2n, matchBasisPoints: 5_000n })
    assert.deepEqual(money, { moneyMinor: 66n, matchMinor: 33n })
  })
  test('1 % of 5,000 is 50; after a return of 2,000 it is 30', () => {
    assert.equal(shareOfSale(5_000n, 100n), 50n)
    assert.equal(shareOfSale(3_000n, 100n), 30n)
  })
})

/** A donation of the story's points that can be undone for a day. */
function donate(story: Story, points: bigint): string {
  const holdId = story.newId()
  const expiresAtMs = story.nowMs + DAY_MS
  story.do({ kind: 'hold', holdId, points, reference: holdId, expiresAtMs, isDonation: true })
  return holdId
}

describe('c21.11: points on their way to a fund', () => {
  test('what expires first is given first, and is the fund\u2019s after a day, however late anybody looks', () => {
    const story = new Story()
    const late = story.grant(500n, 90 * DAY_MS)
    const soon = story.grant(200n, 30 * DAY_MS)
    donate(story, 300n)
    assert.deepEqual([story.left(soon), story.left(late)], [0n, 400n])
    story.nowMs = 60 * DAY_MS
    const { postings } = story.do({ kind: 'settle' })
    assert.deepEqual(
      postings.map(({ kind, occurredAtMs, entries }) => ({ kind, occurredAtMs, entries })),
      [
        {
          kind: 'donate',
          occurredAtMs: DAY_MS,
          entries: [
            { account: 'held', amount: -300n },
            { account: 'donated', amount: 300n },
          ],
        },
      ],
    )
    assert.deepEqual([story.account.available, story.account.held], [400n, 0n])
  })
  test('undone in time it goes back to its lots; a moment later it cannot be', () => {
    const story = new Story()
    const lot = story.grant(300n, 90 * DAY_MS)
    const first = donate(story, 300n)
    story.nowMs = DAY_MS - 1
    story.do({ kind: 'cancel', holdId: first, isDonation: true })
    assert.equal(story.left(lot), 300n)
    const second = donate(story, 300n)
    story.nowMs += DAY_MS
    const refused = story.try({ kind: 'cancel', holdId: second, isDonation: true })
    assert.deepEqual(refused, { ok: false, reason: 'hold_resolved' })
  })
  test('nothing else can use it, and another hold of its name does not give it up', () => {
    const story = new Story()
    story.grant(300n, 90 * DAY_MS)
    const holdId = donate(story, 200n)
    const unknown = { ok: false, reason: 'hold_not_found' }
    assert.deepEqual(story.try({ kind: 'cancel', holdId }), unknown)
    assert.deepEqual(story.try({ kind: 'commit', holdId, points: 1n }), unknown)
    assert.deepEqual(story.try({ kind: 'cancel', holdId: story.hold(50n), isDonation: true }), unknown)
    const expiresAtMs = story.nowMs + 1
    const refused = story.try({ kind: 'hold', holdId: 'h', points: 60n, reference: holdId, expiresAtMs })
    assert.deepEqual(refused, { ok: false, reason: 'insufficient_points', available: 50n })
  })
})
