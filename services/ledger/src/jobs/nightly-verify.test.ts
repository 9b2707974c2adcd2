import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectDatabase } from '@stampede/platform'
import { testParts } from '@stampede/platform/testing'
import { createLedgerMetrics } from '../metrics.ts'
import { keepPostgres, saleOf, type TestLedger, testLedger } from '../testing/ledger.ts'
import { lookOnce, verifyAndRecord } from './nightly-verify.ts'

keepPostgres()

const hourMs = 3_600_000

function replica({ database, clock }: TestLedger) {
  const { logger, metrics } = testParts('ledger')
  const openForCheck = () => connectDatabase({ url: database.url, schema: database.schema, logger })
  const options = { database, openForCheck, clock, hour: 3, logger, metrics: createLedgerMetrics(metrics) }
  const gauge = async (name: string) => {
    const text = await metrics.registry.metrics()
    return Number(new RegExp(`^stampede_ledger_verify_${name} (\\S+)$`, 'm').exec(text)?.[1])
  }
  return { look: () => lookOnce(options), gauge }
}

test('a ledger is checked once a night, by one of its replicas, and all of them publish what it came to', async () => {
  await using ledger = await testLedger()
  await ledger.publish({})
  await ledger.handlers.postReceipt(saleOf('ann', '1'), ledger.call)
  const [one, two] = [replica(ledger), replica(ledger)]
  await Promise.all([one.look(), two.look()])
  await Promise.all([one.look(), two.look()])
  const first = await one.gauge('finished_seconds')
  assert.equal(first, ledger.clock.nowMs() / 1_000)
  assert.equal(await two.gauge('finished_seconds'), first)
  assert.equal(await one.gauge('broken_rules'), 0)
  assert.equal(await one.gauge('checked_transactions'), 1)
  await ledger.database.query('UPDATE account SET available = available + 1')
  ledger.clock.advance(hourMs)
  await one.look()
  assert.equal(await one.gauge('broken_rules'), 0, 'not before the next night')
  ledger.clock.advance(24 * hourMs)
  await two.look()
  await one.look()
  assert.equal(await one.gauge('broken_rules'), 1)
  const [{ runs, invariant } = { runs: 0n, invariant: '' }] = await ledger.database.query<{
    runs: bigint
    invariant: string
  }>('SELECT count(*) AS runs, max(invariant) AS invariant FROM verify_run')
  assert.equal(runs, 2n)
  assert.equal(invariant, 'the totals of an account equal its entries')
})

test('a check by hand ends the alarm that a broken rule had raised', async () => {
  await using ledger = await testLedger()
  await ledger.publish({})
  await ledger.handlers.postReceipt(saleOf('ann', '1'), ledger.call)
  await ledger.database.query('UPDATE account SET available = available + 1')
  const night = replica(ledger)
  await night.look()
  assert.equal(await night.gauge('broken_rules'), 1)
  await ledger.database.query('UPDATE account SET available = available - 1')
  ledger.clock.advance(1_000)
  assert.equal((await verifyAndRecord(ledger.database, ledger.clock.now(), ledger.clock))?.ok, true)
  await night.look()
  assert.equal(await night.gauge('broken_rules'), 0)
})

test('a run whose replica died is taken over after hours, not before', async () => {
  await using ledger = await testLedger()
  const dueAt = ledger.clock.now()
  await ledger.database.query('INSERT INTO verify_run (due_at, claimed_at) VALUES ($1, $1)', [dueAt])
  ledger.clock.advance(3 * hourMs)
  assert.equal(await verifyAndRecord(ledger.database, dueAt, ledger.clock), undefined)
  ledger.clock.advance(1)
  assert.equal((await verifyAndRecord(ledger.database, dueAt, ledger.clock))?.ok, true)
})
