import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DeepPartial, Draw } from '@stampede/proto/draws/v1'
import { replay } from './domain/draws/draw.ts'
import { wantedOf } from './domain/draws/winners.ts'
import { drawOf } from './draw-message.ts'
import { closeDraws } from './jobs/draws/close-draws.ts'
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
import { drawInvariants } from './verify-draws.ts'

keepPostgres()

const FROM = new Date('2026-11-20T12:30:00Z')
const CUT_OFF = new Date('2026-12-01T00:00:00Z')
const HOUR_MS = 3_600_000

let keys = 0
const key = () => {
  keys += 1
  return `k${keys}`
}

/** A draw of November: 1,000 points make a ticket, a point is a minor unit of money. */
async function announce(ledger: TestLedger, more: DeepPartial<Draw> = {}): Promise<string> {
  const draw = Draw.fromPartial({
    drawId: 'november',
    from: FROM,
    cutOff: CUT_OFF,
    earnBasisPoints: 10_000,
    threshold: 1_000n,
    prizes: [{ prizeId: 'car', valueMinor: 90_000n, count: 1 }],
    handOverDays: 14,
    ...more,
  })
  const { secretHash } = await ledger.draws.putDraw({ idempotencyKey: key(), brand: BRAND, draw }, ledger.call)
  ledger.clock.advance(HOUR_MS)
  return secretHash
}

async function buy({ handlers, call, clock }: TestLedger, name: string, amounts: readonly bigint[]): Promise<string> {
  const lines = amounts.map((amountMinor) => ({ sku: 'sku', quantity: 1n, amountMinor, category: '' }))
  const sale = saleOf(name, key(), { occurredAt: clock.now(), lines })
  return (await handlers.postReceipt({ ...sale, idempotencyKey: key() }, call)).receiptId
}

function giveBack({ handlers, call, clock }: TestLedger, receiptId: string, lineIndex: number) {
  const lines = [{ lineIndex, quantity: 1n }]
  return handlers.returnReceipt(returnOf(receiptId, key(), { occurredAt: clock.now(), lines }), call)
}

const passCutOff = ({ clock }: TestLedger) => clock.advance(CUT_OFF.getTime() - clock.nowMs())
const get = ({ draws, call }: TestLedger) => draws.getDraw({ brand: BRAND, drawId: 'november' }, call)
const run = ({ draws, call }: TestLedger, publicValue = 'lotto-7-13') =>
  draws.runDraw({ idempotencyKey: key(), brand: BRAND, drawId: 'november', publicValue }, call)
const standing = ({ draws, call }: TestLedger, name: string) =>
  draws.getDrawStanding({ brand: BRAND, drawId: 'november', memberId: member(name) }, call)

/** Sums of the entries of the draw's points by account. */
async function books({ database }: TestLedger): Promise<Record<string, bigint>> {
  const rows = await database.query<{ account: string; amount: bigint }>(
    `SELECT account::text, sum(amount)::bigint AS amount FROM entry WHERE currency = 'draw.november' GROUP BY account`,
  )
  return Object.fromEntries(rows.map(({ account, amount }) => [account, amount]))
}

test('c21.10: 1,200, 1,000 less 50 and 990: one ticket, and 3,140 points burn, the winner’s too', async () => {
  await using ledger = await testLedger()
  const secretHash = await announce(ledger)
  await buy(ledger, 'm1', [1_200n])
  const second = await buy(ledger, 'm2', [950n, 50n])
  await buy(ledger, 'm3', [990n])
  await followAll(ledger)
  assert.deepEqual([(await standing(ledger, 'm2')).ticketIds.length, (await standing(ledger, 'm3')).lacking], [1, 10n])
  await giveBack(ledger, second, 1)
  await followAll(ledger)
  assert.deepEqual((await standing(ledger, 'm2')).points, 950n)
  assert.equal(await codeOf(run(ledger)), 'FAILED_PRECONDITION')
  passCutOff(ledger)
  await followAll(ledger)
  const closed = await get(ledger)
  assert.deepEqual([closed.state, closed.ticketCount, closed.seed], ['closed', 1n, ''])
  assert.deepEqual(await books(ledger), { issued: -3_140n, expired: 3_140n, available: 0n })
  const { winners } = await run(ledger)
  assert.equal(winners[0]?.memberId, member('m1'))
  assert.equal((await get(ledger)).secretHash, secretHash)
  assert.equal(await codeOf(run(ledger)), 'FAILED_PRECONDITION', 'it is drawn once')
  await assertTrueBooks(ledger)
})

test('c21.10: whatever was not heard of at the cut-off is counted then, by one of two replicas; the record replays', async () => {
  await using ledger = await testLedger()
  await announce(ledger, {
    tickets: 'per_threshold',
    prizes: [{ prizeId: 'mug', valueMinor: 500n, count: 3 }],
    alternates: 2,
  })
  const names = Array.from({ length: 12 }, (_, index) => `m${index}`)
  for (const [index, name] of names.entries()) await buy(ledger, name, [BigInt(index) * 500n + 400n])
  const events = await eventsOf(ledger)
  await followReceipts(ledger.context, events.slice(0, events.length / 2))
  passCutOff(ledger)
  await Promise.all([
    closeDraws(ledger.context, 10),
    closeDraws(ledger.context, 10),
    followReceipts(ledger.context, events),
  ])
  await followAll(ledger)
  const late = await buy(ledger, 'late', [5_000n])
  await followAll(ledger)
  assert.equal((await standing(ledger, 'late')).points, 0n, late)
  await run(ledger)
  const { draw, secretHash, listHash, seed, steps, winners, ticketCount } = await get(ledger)
  assert.equal(ticketCount, 30n)
  assert.equal(winners.length, 5)
  const listed = await ledger.draws.listDrawTickets(
    { brand: BRAND, drawId: 'november', pageSize: 0, pageToken: '' },
    ledger.call,
  )
  const rules = drawOf(Draw.fromPartial(draw ?? {}))
  const told = steps.map((step) => ({ ...step, outcome: step.outcome as 'drawn' | 'same_holder' | 'biased' }))
  const record = { tickets: listed.tickets, secretHash, listHash, seed, wanted: wantedOf(rules), steps: told }
  assert.equal(replay(record), undefined)
  assert.match(replay({ ...record, steps: told.slice(1) }) ?? '', /^number 0/)
  const { available = 0n } = await books(ledger)
  assert.equal(available, 0n)
  await assertTrueBooks(ledger)
})

test('c21.10: a winner who returned too much, or comes too late, is passed over; the alternate has the prize', async () => {
  await using ledger = await testLedger()
  const { draws, call, money, clock } = ledger
  await announce(ledger, { alternates: 2 })
  const sales = new Map<string, string>()
  for (const name of ['m1', 'm2', 'm3']) sales.set(member(name), await buy(ledger, name, [1_000n]))
  passCutOff(ledger)
  await followAll(ledger)
  const { winners } = await run(ledger)
  const [winner] = winners
  assert(winner !== undefined)
  await giveBack(ledger, sales.get(winner.memberId) ?? '', 0)
  await followAll(ledger)
  assert.deepEqual(
    await books(ledger),
    { issued: -2_000n, expired: 2_000n, available: 0n },
    'no debt: the burn is less',
  )
  const come = (place: number) =>
    draws.handOverPrize({ idempotencyKey: key(), brand: BRAND, drawId: 'november', place }, call)
  const passed = await come(1)
  assert.deepEqual([passed.handedOver, passed.winner?.place, passed.winner?.prizeId], [false, 2, 'car'])
  assert.equal(await codeOf(come(1)), 'FAILED_PRECONDITION')
  clock.advance(14 * 24 * HOUR_MS)
  const late = await come(2)
  assert.deepEqual([late.handedOver, late.winner?.place], [false, 3])
  assert.equal((await come(3)).handedOver, true)
  const states = (await get(ledger)).winners.map(({ state }) => state)
  assert.deepEqual(states, ['passed_over', 'passed_over', 'handed_over'])
  const payable = { brand: BRAND, account: 'payable', prefix: '', pageSize: 0, pageToken: '' }
  const { balances } = await money.listMoneyBalances(payable, call)
  assert.deepEqual(
    balances.map(({ party, amountMinor }) => [party, amountMinor]),
    [[`member:${winners[2]?.memberId}`, -90_000n]],
  )
  await assertTrueBooks(ledger)
})

test('c21.10: only entrants burn where the draw says so; a draw that has begun is not changed', async () => {
  await using ledger = await testLedger()
  await announce(ledger, { burn: 'entrants' })
  assert.equal(await codeOf(announce(ledger)), 'INVALID_ARGUMENT')
  assert.equal(await codeOf(announce(ledger, { from: new Date('2026-11-25') })), 'FAILED_PRECONDITION')
  await buy(ledger, 'm1', [1_200n])
  await buy(ledger, 'm2', [400n])
  passCutOff(ledger)
  await followAll(ledger)
  assert.deepEqual(await books(ledger), { issued: -1_600n, expired: 1_200n, available: 400n })
  await assertTrueBooks(ledger)
})

test('every rule about draws finds the row that breaks it', async () => {
  await using ledger = await testLedger()
  await announce(ledger)
  for (const name of ['m1', 'm2']) await buy(ledger, name, [1_000n])
  passCutOff(ledger)
  await followAll(ledger)
  await run(ledger)
  await ledger.draws.handOverPrize({ idempotencyKey: key(), brand: BRAND, drawId: 'november', place: 1 }, ledger.call)
  const [earned = '', list = '', burnt = '', winners = ''] = drawInvariants.map(({ name }) => name)
  const account = `currency = 'draw.november' AND member_id = '${member('m1')}'`
  const unburn = `INSERT INTO lot (brand, member_id, currency, lot_id, amount, available, pending, held, earned_at, cause_id,
      funder, repay_basis_points)
    SELECT brand, member_id, currency, gen_random_uuid(), 5, 5, 0, 0, now(), member_id, '', 0 FROM account WHERE ${account};
    UPDATE account SET available = 5, version = version + 1, lifetime_earned = lifetime_earned + 5 WHERE ${account};
    UPDATE draw_receipt SET points = points + 5 WHERE member_id = '${member('m1')}';
    INSERT INTO posting SELECT brand, member_id, currency, version, gen_random_uuid(), 'grant', NULL, now(), posted_at, month,
      '{issued,available}', '{-5,5}', (SELECT array_agg(lot_id) FROM lot WHERE ${account} AND available > 0), '{grant}',
      '{5}', '{0}', '{0}' FROM account a CROSS JOIN (SELECT posted_at, month FROM posting LIMIT 1) p WHERE ${account}`
  const found = await assertFound(ledger.database, [
    [earned, 'UPDATE draw_receipt SET points = points + 1'],
    [list, `UPDATE draw SET list_hash = 'other'`],
    [list, `UPDATE draw_ticket SET ticket_id = 'other' WHERE member_id = '${member('m1')}'`],
    [list, 'UPDATE draw SET ticket_count = ticket_count + 1'],
    [burnt, unburn],
    [winners, `UPDATE draw_ticket SET state = 'burnt'`],
    [winners, 'DELETE FROM draw_step'],
    [winners, `UPDATE draw_winner SET state = 'won'`],
  ])
  assert.equal(found, drawInvariants.length)
})
