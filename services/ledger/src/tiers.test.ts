import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Event } from '@stampede/proto/events/v1'
import { QuoteReceiptRequest } from '@stampede/proto/ledger/v1'
import type { DeepPartial, Programme } from '@stampede/proto/programmes/v1'
import { flushDue } from './flush/flush.ts'
import { assertTrueBooks } from './testing/damages.ts'
import { BRAND, codeOf, keepPostgres, member, returnOf, saleOf, type TestLedger, testLedger } from './testing/ledger.ts'

keepPostgres()

const DAY_MS = 86_400_000
const ann = { brand: BRAND, memberId: member('ann') }
/** In cents: silver from 100.00, gold from 500.00. */
const ladder: DeepPartial<Programme> = {
  tiers: {
    tiers: [
      { tierId: 'silver', threshold: 10_000n, earnHundredths: 150 },
      { tierId: 'gold', threshold: 50_000n, earnHundredths: 200, entryPoints: 1_000n },
    ],
  },
}

/** A sale at the present of the test's clock. */
const sale = (ledger: TestLedger, number: string, amountMinor: bigint, more = {}) =>
  ledger.handlers.postReceipt(
    saleOf('ann', number, {
      occurredAt: ledger.clock.now(),
      lines: [{ sku: 'sku', quantity: 1n, amountMinor, category: '' }],
      ...more,
    }),
    ledger.call,
  )

test('a receipt earns by the tier before it, lifts the member, and the next one earns more', async () => {
  await using ledger = await testLedger()
  await ledger.publish(ladder)
  const lines = [{ sku: 'sku', quantity: 1n, amountMinor: 10_000n, category: '' }]
  assert.equal((await sale(ledger, '1', 10_000n)).pointsEarned, 500n)
  const quoted = await ledger.handlers.quoteReceipt(
    QuoteReceiptRequest.fromPartial({ ...ann, storeId: 'store', lines }),
    ledger.call,
  )
  assert.equal(quoted.pointsToEarn, 750n, 'a quote knows the tier')
  const second = await sale(ledger, '2', 10_000n)
  assert.equal(second.pointsEarned, 750n)
  const tier = await ledger.tiers.getTier(ann, ledger.call)
  assert.deepEqual(
    [tier.tierId, tier.counted, tier.nextTierId, tier.toNext, tier.until?.toISOString()],
    ['silver', 20_000n, 'gold', 30_000n, '2027-12-31T23:00:00.000Z'],
  )
  await assertTrueBooks(ledger)
})

test('an entry reward is given once in a window, however often the tier is reached', async () => {
  await using ledger = await testLedger()
  await ledger.publish({ ...ladder, earnBasisPoints: 0 })
  const { receiptId, balance } = await sale(ledger, '1', 50_000n)
  assert.equal(balance?.available, 1_000n)
  await ledger.handlers.returnReceipt(returnOf(receiptId, 'r', { occurredAt: ledger.clock.now() }), ledger.call)
  const again = await sale(ledger, '2', 60_000n)
  assert.equal(again.balance?.available, 1_000n)
  await assertTrueBooks(ledger)
})

test('c21.5: a tier that a late receipt reaches again in the same window is not rewarded again', async () => {
  await using ledger = await testLedger()
  await ledger.publish({ ...ladder, earnBasisPoints: 0 })
  const { receiptId } = await sale(ledger, '1', 50_000n)
  await ledger.handlers.returnReceipt(returnOf(receiptId, 'r', { occurredAt: ledger.clock.now() }), ledger.call)
  ledger.clock.advance(45 * DAY_MS)
  assert.equal((await ledger.tiers.getTier(ann, ledger.call)).tierId, '')
  const december = new Date(ledger.clock.nowMs() - 15 * DAY_MS)
  const { balance } = await sale(ledger, '2', 60_000n, { occurredAt: december })
  assert.equal((await ledger.tiers.getTier(ann, ledger.call)).tierId, 'gold')
  assert.equal(balance?.available, 1_000n)
})

test('a return lowers what is counted on the day of the sale, and the closing of the year sees it', async () => {
  await using ledger = await testLedger()
  await ledger.publish(ladder)
  const { receiptId } = await sale(ledger, '1', 12_000n)
  await sale(ledger, '2', 1_000n)
  ledger.clock.advance(15 * DAY_MS)
  await ledger.handlers.returnReceipt(returnOf(receiptId, 'r', { occurredAt: ledger.clock.now() }), ledger.call)
  const now = await ledger.tiers.getTier(ann, ledger.call)
  assert.deepEqual(
    [now.tierId, now.counted, now.toKeep, now.willDowngrade, now.until?.toISOString()],
    ['silver', 1_000n, 9_000n, true, '2026-12-31T23:00:00.000Z'],
  )
  ledger.clock.advance(40 * DAY_MS)
  assert.equal((await ledger.tiers.getTier(ann, ledger.call)).tierId, '')
})

test('c21.5: a return after the year has ended leaves the tier, even if nobody has closed the year before', async () => {
  await using ledger = await testLedger()
  await ledger.publish(ladder)
  const { receiptId } = await sale(ledger, '1', 12_000n)
  ledger.clock.advance(46 * DAY_MS)
  await ledger.handlers.returnReceipt(returnOf(receiptId, 'r', { occurredAt: ledger.clock.now() }), ledger.call)
  const { tierId, until } = await ledger.tiers.getTier(ann, ledger.call)
  assert.deepEqual([tierId, until?.toISOString()], ['silver', '2027-12-31T23:00:00.000Z'])
})

test('the sweeper closes what has ended and tells it, and the version of the event grows', async () => {
  await using ledger = await testLedger()
  await ledger.publish({ ...ladder, earnBasisPoints: 0 })
  await sale(ledger, '1', 12_000n)
  ledger.clock.advance(410 * DAY_MS)
  while ((await flushDue(ledger.flushContext, 100)) > 0);
  const rows = await ledger.database.query<{ payload: Buffer }>('SELECT payload FROM outbox ORDER BY id')
  const told = rows.flatMap(({ payload }) => {
    const event = Event.decode(payload)
    if (event.payload?.$case !== 'account') return []
    return [{ tier: event.payload.value.tier?.tierId, version: event.aggregateVersion }]
  })
  assert.deepEqual(
    told.map(({ tier }) => tier),
    ['silver', ''],
  )
  assert.deepEqual(
    told.map(({ version }) => version),
    told.map(({ version }) => version).toSorted((a, b) => Number(a - b)),
  )
  assert.equal(new Set(told.map(({ version }) => version)).size, told.length)
})

test('a tier given by hand stays until its end, with its reason', async () => {
  await using ledger = await testLedger()
  await ledger.publish(ladder)
  const set = (more = {}) =>
    ledger.tiers.setTier(
      {
        ...ann,
        idempotencyKey: 'vip',
        tierId: 'gold',
        until: new Date('2028-06-01T00:00:00Z'),
        reason: 'status match',
        ...more,
      },
      ledger.call,
    )
  assert.equal((await set()).tierId, 'gold')
  assert.equal(await codeOf(set({ idempotencyKey: 'x', tierId: 'none' })), 'INVALID_ARGUMENT')
  assert.equal(await codeOf(set({ idempotencyKey: 'y', until: new Date(0) })), 'INVALID_ARGUMENT')
  assert.equal((await ledger.tiers.getTier(ann, ledger.call)).reason, 'status match')
  assert.equal((await sale(ledger, '1', 1_000n)).pointsEarned, 100n)
  ledger.clock.advance(500 * DAY_MS)
  assert.equal((await ledger.tiers.getTier(ann, ledger.call)).tierId, 'gold')
  ledger.clock.advance(300 * DAY_MS)
  assert.equal((await ledger.tiers.getTier(ann, ledger.call)).tierId, '')
})

test('a late receipt earns by the tier of its time', async () => {
  await using ledger = await testLedger()
  await ledger.publish(ladder)
  const before = ledger.clock.now()
  ledger.clock.advance(DAY_MS)
  await sale(ledger, '1', 10_000n)
  assert.equal((await sale(ledger, '2', 10_000n, { occurredAt: before })).pointsEarned, 500n)
  assert.equal((await sale(ledger, '3', 10_000n)).pointsEarned, 750n)
})

test('a simulation says who would move, and a broken ladder is refused by the name of its field', async () => {
  await using ledger = await testLedger()
  await ledger.publish(ladder)
  await sale(ledger, '1', 10_000n)
  const simulate = (tiers: readonly { readonly tierId: string; readonly threshold: bigint }[]) =>
    ledger.tiers.simulateLadder(
      {
        brand: BRAND,
        ladder: {
          tiers: tiers.map((tier) => ({ ...tier, earnHundredths: 0, entryPoints: 0n })),
          metric: '',
          window: '',
          rollingMonths: 0,
          holdMonths: 0,
          graceDays: 0,
          upgrade: '',
          downgrade: '',
        },
      },
      ledger.call,
    )
  assert.deepEqual(await simulate([{ tierId: 'silver', threshold: 20_000n }]), {
    up: 0n,
    down: 1n,
    same: 0n,
    tiers: [
      { tierId: '', members: 1n },
      { tierId: 'silver', members: 0n },
    ],
  })
  await assert.rejects(
    simulate([
      { tierId: 'a', threshold: 5n },
      { tierId: 'b', threshold: 5n },
    ]),
    /ladder.tiers\[1\].threshold/,
  )
})
