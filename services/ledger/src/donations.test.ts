import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DeepPartial, DonationProgramme } from '@stampede/proto/donations/v1'
import { flushDue } from './flush/flush.ts'
import { followReceipts } from './jobs/follow-receipts.ts'
import { assertFound, assertTrueBooks } from './testing/damages.ts'
import {
  BRAND,
  codeOf,
  eventsOf,
  followAll,
  keepPostgres,
  member,
  returnOf,
  saleOf,
  type TestLedger,
  testLedger,
} from './testing/ledger.ts'
import { donationInvariants } from './verify-donations.ts'

keepPostgres()

const DAY_MS = 86_400_000
const ann = { brand: BRAND, memberId: member('ann') }

let keys = 0
const key = () => {
  keys += 1
  return `k${keys}`
}

/** One to one, half of it on top. */
async function publish({ donations, call }: TestLedger, more: DeepPartial<DonationProgramme> = {}): Promise<void> {
  const rates = { ratePoints: 1n, rateMinor: 1n, leastPoints: 100n, matchBasisPoints: 5_000 }
  const programme = DonationProgramme.fromPartial({ fundIds: ['forest', 'sea'], ...rates, ...more })
  await donations.putDonationProgramme({ idempotencyKey: key(), brand: BRAND, programme }, call)
}

async function grant(ledger: TestLedger, points: bigint): Promise<void> {
  const common = { ...ann, idempotencyKey: key(), occurredAt: undefined, liveDays: 0, funder: '' }
  await ledger.points.grantPoints({ ...common, eventKey: key(), points }, ledger.call)
}

function donate({ donations, call }: TestLedger, points: bigint, fundId = 'forest') {
  return donations.donatePoints({ ...ann, idempotencyKey: key(), fundId, points }, call)
}

function undo({ donations, call }: TestLedger, donationId: string) {
  return donations.undoDonation({ idempotencyKey: key(), brand: BRAND, donationId }, call)
}

async function settle(ledger: TestLedger): Promise<void> {
  await flushDue(ledger.flushContext, 100)
  await followAll(ledger)
}

const report = ({ donations, call }: TestLedger, fundId = 'forest') =>
  donations.getFundReport({ brand: BRAND, fundId }, call)

test('c21.11: 300 points with a match of 50 % make a fund 450, once nobody can undo it any more', async () => {
  await using ledger = await testLedger()
  const { points, donations, money, call, clock } = ledger
  await publish(ledger)
  await grant(ledger, 500n)
  assert.equal(await codeOf(donate(ledger, 99n)), 'INVALID_ARGUMENT')
  assert.equal(await codeOf(donate(ledger, 300n, 'moon')), 'INVALID_ARGUMENT')
  assert.equal(await codeOf(donate(ledger, 501n)), 'INSUFFICIENT_POINTS')
  const given = await donate(ledger, 300n)
  assert.deepEqual([given.moneyMinor, given.matchMinor, given.balance?.available], [300n, 150n, 200n])
  const undone = await donate(ledger, 200n)
  clock.advance(DAY_MS - 1)
  assert.equal((await undo(ledger, undone.donationId)).balance?.available, 200n)
  await settle(ledger)
  assert.equal((await report(ledger)).owedMinor, 0n)
  clock.advance(1)
  assert.equal(await codeOf(undo(ledger, given.donationId)), 'HOLD_RESOLVED')
  await settle(ledger)
  await settle(ledger)
  const got = { points: 300n, moneyMinor: 300n, matchMinor: 150n, shareMinor: 0n, paidMinor: 0n, owedMinor: 450n }
  assert.deepEqual(await report(ledger), got)
  const paid = { idempotencyKey: key(), brand: BRAND, party: 'fund:forest', amountMinor: 450n }
  await money.recordPayout(paid, call)
  assert.deepEqual(await report(ledger), { ...got, paidMinor: 450n, owedMinor: 0n })
  const listed = await donations.listDonations({ ...ann, pageSize: 1, pageToken: '' }, call)
  const rest = await donations.listDonations({ ...ann, pageSize: 1, pageToken: listed.nextPageToken }, call)
  assert.deepEqual([...listed.donations, ...rest.donations].map(({ state }) => state).toSorted(), ['donated', 'undone'])
  const liability = await points.getLiability({ brand: BRAND }, call)
  assert.deepEqual([liability.donated, liability.outstanding], [300n, 200n])
  await assertTrueBooks(ledger)
})

test('c21.11: a return of what earned donated points makes a debt; the fund keeps its money', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  await publish(ledger)
  const { receiptId } = await handlers.postReceipt(saleOf('ann', '1'), call)
  await donate(ledger, 100n)
  ledger.clock.advance(DAY_MS)
  await settle(ledger)
  const back = await handlers.returnReceipt(returnOf(receiptId, 'r', { occurredAt: ledger.clock.now() }), call)
  assert.deepEqual([back.balance?.available, back.balance?.debt], [0n, 100n])
  await settle(ledger)
  assert.equal((await report(ledger)).owedMinor, 150n)
  await assertTrueBooks(ledger)
})

test('c21.11: 1 % of a receipt of 5,000 is 50, and 30 after a return of 2,000, on two replicas and in any order', async () => {
  await using ledger = await testLedger()
  const { handlers, call, money } = ledger
  await handlers.postReceipt(saleOf('ann', 'before'), call)
  ledger.clock.advance(1_000)
  await publish(ledger, { share: { fundId: 'sea', basisPoints: 100 } })
  const lines = [3_000n, 2_000n].map((amountMinor) => ({ sku: 'sku', quantity: 1n, amountMinor, category: '' }))
  const { receiptId } = await handlers.postReceipt(saleOf('ann', '1', { lines }), call)
  await followAll(ledger)
  assert.equal((await report(ledger, 'sea')).owedMinor, 50n, 'nothing of what was sold before')
  await money.recordPayout({ idempotencyKey: key(), brand: BRAND, party: 'fund:sea', amountMinor: 50n }, call)
  await handlers.returnReceipt(returnOf(receiptId, 'r', { lines: [{ lineIndex: 1, quantity: 1n }] }), call)
  const other = await handlers.postReceipt(saleOf('ann', '2', { lines }), call)
  await handlers.returnReceipt(returnOf(other.receiptId, 'r2', { lines: [{ lineIndex: 1, quantity: 1n }] }), call)
  const events = await eventsOf(ledger)
  await Promise.all([
    followReceipts(ledger.context, events.toReversed()),
    followReceipts(ledger.context, events),
    followReceipts(ledger.context, events),
  ])
  const { shareMinor, paidMinor, owedMinor } = await report(ledger, 'sea')
  assert.deepEqual({ shareMinor, paidMinor, owedMinor }, { shareMinor: 60n, paidMinor: 50n, owedMinor: 10n })
  await handlers.returnReceipt(returnOf(other.receiptId, 'r3', { lines: [{ lineIndex: 0, quantity: 1n }] }), call)
  await followAll(ledger)
  assert.equal((await report(ledger, 'sea')).owedMinor, -20n, 'the next payment is that much less')
  await assertTrueBooks(ledger)
})

test('every rule about donations finds the row that breaks it', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  await publish(ledger, { share: { fundId: 'sea', basisPoints: 100 } })
  await grant(ledger, 600n)
  await handlers.postReceipt(saleOf('ann', '1'), call)
  await donate(ledger, 300n)
  await undo(ledger, (await donate(ledger, 100n)).donationId)
  ledger.clock.advance(DAY_MS)
  await settle(ledger)
  await donate(ledger, 200n)
  const [ofDonation = '', ofShare = ''] = donationInvariants.map(({ name }) => name)
  const found = await assertFound(ledger.database, [
    [ofDonation, `UPDATE donation SET points = points + 1`],
    [ofDonation, `UPDATE donation SET state = 'donated' WHERE state = 'open'`],
    [ofDonation, `UPDATE donation SET state = 'donated' WHERE state = 'undone'`],
    [ofDonation, `UPDATE donation SET match_minor = 0 WHERE state = 'donated'`],
    [ofDonation, `DELETE FROM money_posting WHERE kind = 'donation'`],
    [ofDonation, `UPDATE hold SET is_donation = false`],
    [ofDonation, `UPDATE posting SET cause_id = transaction_id WHERE kind = 'donate'`],
    [ofShare, `UPDATE donation_share SET booked_minor = booked_minor + 1`],
    [ofShare, `DELETE FROM donation_share`],
  ])
  assert.equal(found, donationInvariants.length)
})
