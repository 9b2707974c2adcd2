import assert from 'node:assert/strict'
import { test } from 'node:test'
import { QuoteReceiptRequest } from '@stampede/proto/ledger/v1'
import { type DeepPartial, SubscriptionPlan } from '@stampede/proto/subscriptions/v1'
import { earnTerms } from './jobs/subscriptions/earn-terms.ts'
import { assertFound, assertTrueBooks } from './testing/damages.ts'
import { BRAND, codeOf, eventsOf, keepPostgres, member, saleOf, type TestLedger, testLedger } from './testing/ledger.ts'
import { subscriptionInvariants } from './verify-subscriptions.ts'

keepPostgres()

const at = (text: string) => Date.parse(`${text}+01:00`)

let keys = 0
const key = () => {
  keys += 1
  return `k${keys}`
}

const to = ({ clock }: TestLedger, instant: string) => clock.advance(at(instant) - clock.nowMs())

/** 199 a month after seven days for nothing. */
async function publish({ subscriptions, call }: TestLedger, more: DeepPartial<SubscriptionPlan> = {}): Promise<void> {
  const terms = { priceMinor: 19_900n, termMonths: 1, trialDays: 7, graceDays: 3, noticeDays: 30 }
  const plan = SubscriptionPlan.fromPartial({ planId: 'plus', tags: ['plus'], refund: 'by_days', ...terms, ...more })
  await subscriptions.putSubscriptionPlan({ idempotencyKey: key(), brand: BRAND, plan }, call)
}

async function start({ subscriptions, call }: TestLedger, name = 'ann', planId = 'plus') {
  const request = { idempotencyKey: key(), brand: BRAND, memberId: member(name), planId }
  const { subscription } = await subscriptions.startSubscription(request, call)
  assert(subscription !== undefined)
  return subscription
}

async function pay({ subscriptions, call }: TestLedger, subscriptionId: string, amountMinor = 19_900n) {
  const request = { idempotencyKey: key(), brand: BRAND, subscriptionId, tender: 'card', amountMinor }
  return (await subscriptions.recordSubscriptionPayment(request, call)).subscription
}

function cancel({ subscriptions, call }: TestLedger, subscriptionId: string, refund: boolean) {
  return subscriptions.cancelSubscription({ idempotencyKey: key(), brand: BRAND, subscriptionId, refund }, call)
}

async function stateOf({ subscriptions, call }: TestLedger, name = 'ann'): Promise<string | undefined> {
  const request = { brand: BRAND, memberId: member(name) }
  return (await subscriptions.listMemberSubscriptions(request, call)).subscriptions[0]?.state
}

async function books({ money, call }: TestLedger): Promise<Record<string, bigint>> {
  const found: Record<string, bigint> = {}
  for (const account of ['tender', 'deferred', 'revenue']) {
    const request = { brand: BRAND, account, prefix: '', pageSize: 0, pageToken: '' }
    for (const { amountMinor } of (await money.listMoneyBalances(request, call)).balances) found[account] = amountMinor
  }
  return found
}

test('c21.9: seven days free, a month for 199, unpaid, in grace, and over', async () => {
  await using ledger = await testLedger()
  await publish(ledger)
  to(ledger, '2027-01-10T12:00')
  const { subscriptionId, state, paidUntil } = await start(ledger)
  assert.deepEqual([state, paidUntil?.getTime()], ['trial', at('2027-01-17T12:00')])
  assert.equal(await codeOf(start(ledger)), 'ALREADY_EXISTS')
  to(ledger, '2027-01-17T11:00')
  assert.equal(await codeOf(pay(ledger, subscriptionId, 19_800n)), 'INVALID_ARGUMENT')
  const paid = await pay(ledger, subscriptionId)
  assert.equal(paid?.paidUntil?.getTime(), at('2027-02-17T12:00'))
  assert.equal(await codeOf(pay(ledger, subscriptionId)), 'FAILED_PRECONDITION', 'one term ahead is enough')
  const states: (string | undefined)[] = []
  for (const instant of ['2027-01-17T12:00', '2027-02-17T12:00', '2027-02-20T11:59', '2027-02-20T12:00']) {
    to(ledger, instant)
    states.push(await stateOf(ledger))
  }
  assert.deepEqual(states, ['active', 'past_due', 'past_due', 'lapsed'])
  to(ledger, '2027-02-25T09:00')
  assert.equal((await pay(ledger, subscriptionId))?.paidUntil?.getTime(), at('2027-03-25T09:00'))
  const told = (await eventsOf(ledger)).filter(({ aggregateKind }) => aggregateKind === 'subscription')
  assert.deepEqual(
    told.map(({ aggregateVersion }) => aggregateVersion),
    [1n, 2n, 3n],
  )
  await assertTrueBooks(ledger)
})

test('c21.9: a refund on 27 January gives 134.80 back; 64.20 are revenue, and benefits end', async () => {
  await using ledger = await testLedger()
  await publish(ledger, { trialDays: 0 })
  to(ledger, '2027-01-17T12:00')
  const { subscriptionId, state } = await start(ledger)
  assert.equal(state, 'pending')
  await pay(ledger, subscriptionId)
  assert.deepEqual(await books(ledger), { tender: 19_900n, deferred: -19_900n })
  to(ledger, '2027-01-20T13:00')
  await Promise.all([earnTerms(ledger.context, 10), earnTerms(ledger.context, 10)])
  const three = 19_900n - (19_900n * 28n) / 31n
  assert.deepEqual(await books(ledger), { tender: 19_900n, deferred: three - 19_900n, revenue: -three })
  to(ledger, '2027-01-27T12:00')
  assert.equal((await cancel(ledger, subscriptionId, true)).refundMinor, 13_480n)
  assert.deepEqual(await books(ledger), { tender: 6_420n, deferred: 0n, revenue: -6_420n })
  assert.equal(await codeOf(cancel(ledger, subscriptionId, true)), 'FAILED_PRECONDITION')
  to(ledger, '2027-03-01T00:00')
  assert.equal(await earnTerms(ledger.context, 10), 0, 'nothing is earned any more')
  await assertTrueBooks(ledger)
})

test('c21.9: a term that was paid ahead is given back as a whole, and who comes back begins anew', async () => {
  await using ledger = await testLedger()
  await publish(ledger, { trialDays: 0 })
  to(ledger, '2027-01-17T12:00')
  const { subscriptionId } = await start(ledger)
  await pay(ledger, subscriptionId)
  await pay(ledger, subscriptionId)
  to(ledger, '2027-01-27T12:00')
  assert.equal((await cancel(ledger, subscriptionId, true)).refundMinor, 13_480n + 19_900n)
  assert.deepEqual(await books(ledger), { tender: 6_420n, deferred: 0n, revenue: -6_420n })
  to(ledger, '2027-01-28T12:00')
  await start(ledger)
  assert.equal((await pay(ledger, subscriptionId))?.paidUntil?.getTime(), at('2027-02-28T12:00'))
  await assertTrueBooks(ledger)
})

test('c21.9: a cancelled one runs to the end of what is paid, without grace, and can be begun again', async () => {
  await using ledger = await testLedger()
  await publish(ledger, { trialDays: 0, refund: 'none' })
  await ledger.publish({
    earnRules: [{ ruleId: 'plus', tags: ['plus'], effect: { $case: 'timesHundredths', value: 200 } }],
  })
  to(ledger, '2027-01-17T12:00')
  const { subscriptionId } = await start(ledger)
  await pay(ledger, subscriptionId)
  assert.equal(await codeOf(cancel(ledger, subscriptionId, true)), 'FAILED_PRECONDITION')
  await cancel(ledger, subscriptionId, false)
  const earned = async (instant: string) => {
    to(ledger, instant)
    const sale = saleOf('ann', instant, { occurredAt: ledger.clock.now() })
    return (await ledger.handlers.postReceipt(sale, ledger.call)).pointsEarned
  }
  assert.deepEqual([await earned('2027-02-17T11:59'), await earned('2027-02-17T12:00')], [200n, 100n])
  assert.equal(await stateOf(ledger), 'cancelled')
  assert.equal((await start(ledger)).state, 'lapsed')
  assert.equal((await pay(ledger, subscriptionId))?.paidUntil?.getTime(), at('2027-03-17T12:00'))
  assert.equal(await earned('2027-02-18T12:00'), 200n)
  await earnTerms(ledger.context, 10)
  to(ledger, '2028-01-01T00:00')
  await earnTerms(ledger.context, 10)
  assert.deepEqual(await books(ledger), { tender: 39_800n, deferred: 0n, revenue: -39_800n })
  await assertTrueBooks(ledger)
})

test('c21.9: a person has one trial, whatever the plan and the member', async () => {
  await using ledger = await testLedger()
  const { referrals, call } = ledger
  await publish(ledger)
  await publish(ledger, { planId: 'gold' })
  const card = [{ kind: 'payment', hash: 'a'.repeat(64) }]
  for (const name of ['ann', 'bob']) {
    const whose = { brand: BRAND, memberId: member(name) }
    await referrals.recordFingerprints({ idempotencyKey: key(), ...whose, fingerprints: card }, call)
  }
  const both = await Promise.all([start(ledger, 'ann'), start(ledger, 'bob')])
  assert.deepEqual(both.map(({ state }) => state).toSorted(), ['pending', 'trial'])
  assert.equal((await start(ledger, 'ann', 'gold')).state, 'pending')
  assert.equal((await start(ledger, 'cat')).state, 'trial')
})

test('c21.9: subscribers have their discount at the till and in the quote, by the time of the receipt', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  const effect = { effect: { $case: 'percentBasisPoints', value: 1_000 } } as const
  await ledger.publish({ discountRules: [{ ruleId: 'plus', phase: 'item', tags: ['plus'], effect }] })
  await publish(ledger)
  to(ledger, '2027-01-10T12:00')
  await start(ledger)
  to(ledger, '2027-01-12T12:00')
  const lines = [{ sku: 'sku', quantity: 1n, amountMinor: 2_000n, category: '' }]
  const quote = async (name: string) =>
    (
      await handlers.quoteReceipt(
        QuoteReceiptRequest.fromPartial({ brand: BRAND, memberId: member(name), lines }),
        call,
      )
    ).totalMinor
  assert.deepEqual([await quote('ann'), await quote('bob')], [1_800n, 2_000n])
  const sell = async (name: string, instant: string) => {
    const sale = saleOf(name, `${name}${instant}`, { occurredAt: new Date(at(instant)) })
    return (await handlers.postReceipt(sale, call)).totalMinor
  }
  assert.equal(await sell('ann', '2027-01-12T12:00'), 1_800n)
  assert.equal(await sell('ann', '2027-01-10T11:59'), 2_000n, 'a late receipt of before')
  assert.equal(await sell('bob', '2027-01-12T12:00'), 2_000n)
  await assertTrueBooks(ledger)
})

test('c21.9: who is subscribed pays a new price when its notice is over', async () => {
  await using ledger = await testLedger()
  await publish(ledger, { trialDays: 0 })
  to(ledger, '2027-01-17T12:00')
  const { subscriptionId } = await start(ledger)
  await pay(ledger, subscriptionId)
  to(ledger, '2027-02-10T12:00')
  await publish(ledger, { trialDays: 0, priceMinor: 24_900n })
  assert.equal((await start(ledger, 'bob')).nextPriceMinor, 24_900n)
  to(ledger, '2027-02-17T12:00')
  assert.equal((await pay(ledger, subscriptionId))?.nextPriceMinor, 24_900n, 'from 17 March on')
  to(ledger, '2027-03-17T12:00')
  assert.equal(await codeOf(pay(ledger, subscriptionId)), 'INVALID_ARGUMENT')
  await pay(ledger, subscriptionId, 24_900n)
  await assertTrueBooks(ledger)
})

test('every rule about subscriptions finds the row that breaks it', async () => {
  await using ledger = await testLedger()
  await publish(ledger)
  const { subscriptionId } = await start(ledger)
  await pay(ledger, subscriptionId)
  const [booked = '', overlap = ''] = subscriptionInvariants.map(({ name }) => name)
  const found = await assertFound(ledger.database, [
    [booked, `DELETE FROM money_posting WHERE kind = 'subscription_fee'`],
    [booked, `UPDATE subscription_term SET revenue_minor = 1 WHERE NOT is_trial`],
    [booked, `UPDATE subscription_term SET refund_minor = 1 WHERE NOT is_trial`],
    [overlap, `UPDATE subscription_term SET from_at = from_at - interval '1 hour' WHERE NOT is_trial`],
    [
      overlap,
      `UPDATE subscription_term SET benefits_until = until_at + interval '1 day', until_at = until_at - interval '1 day'
      WHERE is_trial`,
    ],
  ])
  assert.equal(found, subscriptionInvariants.length)
})

test('two replicas that note one payment note it once', async () => {
  await using ledger = await testLedger()
  await publish(ledger, { trialDays: 0 })
  const { subscriptionId } = await start(ledger)
  const request = { idempotencyKey: key(), brand: BRAND, subscriptionId, tender: 'card', amountMinor: 19_900n }
  const { subscriptions, call } = ledger
  const same = Array.from({ length: 8 }, () => subscriptions.recordSubscriptionPayment(request, call))
  assert.equal(new Set((await Promise.all(same)).map(({ subscription }) => subscription?.paidUntil?.getTime())).size, 1)
  const others = Array.from({ length: 8 }, () => codeOf(pay(ledger, subscriptionId)))
  const refused = (await Promise.all(others)).filter((result) => result === 'FAILED_PRECONDITION')
  assert.equal(refused.length, 7)
  assert.deepEqual(await books(ledger), { tender: 39_800n, deferred: -39_800n })
  await assertTrueBooks(ledger)
})
