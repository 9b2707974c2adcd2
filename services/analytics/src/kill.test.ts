import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  connectNats,
  createLogger,
  type Database,
  ensureStreams,
  freePort,
  type Nats,
  openClickHouse,
  openDatabase,
  subjects,
} from '@stampede/platform'
import { platformEnv, tempDir, testKeys, testNats, testPostgres } from '@stampede/platform/testing'
import { PushOutcome, PushResult } from '@stampede/proto/push/v1'
import { selectRow } from './store/clickhouse.ts'
import { activityAgrees } from './store/ingest.ts'
import { receiptEvent } from './testing/events.ts'

const full = process.env['STAMPEDE_FULL'] === '1'
const receipts = full ? 100_000 : 6_000
const linesEach = 5
const pushes = full ? 2_000 : 100
const recipientsEach = 500
const kills = full ? 40 : 6
/** A kill comes at most so long after a range is seen in work. */
const killWithinMs = 150
const pollMs = 2
/** With everything taken in no range is seen, and the kill comes anyway. */
const sightMs = 3_000
const drainMs = 120_000
const publishAtOnce = 500

describe('a killed process', () => {
  it('loses no row and stores none twice', { timeout: 300_000 }, async () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
    await using server = await testNats()
    await using postgres = await testPostgres()
    using dir = tempDir('kill')
    const extra = { STAMPEDE_ANALYTICS_HTTP_PORT: String(await freePort()) }
    const env = platformEnv({ nats: server, postgres, dataDir: dir.path, keys: testKeys(), extra })
    await using nats = await connectNats({ url: server.url, name: 'test', logger: createLogger('test', 'silent') })
    await ensureStreams(nats)
    await publish(nats)

    const migrationsDir = new URL('./store/migrations/', import.meta.url)
    const logger = createLogger('test', 'silent')
    await using database = await openDatabase({ url: postgres.url, schema: 'analytics', migrationsDir, logger })
    let random = seed
    let interrupted = 0
    for (let kill = 0; kill < kills; kill++) {
      random = (random * 1_103_515_245 + 12_345) % 2_147_483_648
      const child = await start(env)
      const deadline = Date.now() + sightMs
      while ((await pendingRanges(database)) === 0 && Date.now() < deadline) await sleep(pollMs)
      await sleep((random / 2_147_483_648) * killWithinMs)
      child.kill('SIGKILL')
      await once(child, 'exit')
      interrupted += await pendingRanges(database)
    }
    assert.ok(interrupted > 0, `no kill came while rows were on their way, SEED=${seed}`)

    const last = await start(env)
    await drained(nats, env, last)
    last.disconnect()
    await once(last, 'exit')

    await using store = await openClickHouse({ dataDir: join(dir.path, 'clickhouse') })
    const sums = await selectRow<Record<string, string>>(
      store,
      `SELECT
         (SELECT toString(count()) FROM stampede.receipts) AS receipts,
         (SELECT toString(uniqExact(receipt_id)) FROM stampede.receipts) AS distinctReceipts,
         (SELECT toString(sum(total_minor)) FROM stampede.receipts) AS total,
         (SELECT toString(count()) FROM stampede.receipt_lines) AS lines,
         (SELECT toString(sum(sales_minor)) FROM stampede.member_activity) AS activity,
         (SELECT toString(sum(sales)) FROM stampede.member_activity) AS sales,
         (SELECT toString(count()) FROM stampede.push_outcomes) AS outcomes,
         (SELECT toString(uniqExact(pass_no)) FROM stampede.push_outcomes) AS distinctOutcomes`,
    )
    const total = (BigInt(receipts) * BigInt(receipts + 1)) / 2n
    assert.deepEqual(
      sums,
      {
        receipts: `${receipts}`,
        distinctReceipts: `${receipts}`,
        total: `${total}`,
        lines: `${receipts * linesEach}`,
        activity: `${total}`,
        sales: `${receipts}`,
        outcomes: `${pushes * recipientsEach}`,
        distinctOutcomes: `${pushes * recipientsEach}`,
      },
      `SEED=${seed}`,
    )
    assert.ok(await activityAgrees(store))
  })
})

async function pendingRanges(database: Database): Promise<number> {
  const rows = await database.query('SELECT source FROM ingest_ranges WHERE pending_first IS NOT NULL')
  return rows.length
}

async function start(env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = fork(new URL('./testing/run-service.ts', import.meta.url), { env: { ...process.env, ...env } })
  await once(child, 'message')
  return child
}

/** Waits until the readers have taken everything: their metrics say where they stand. */
async function drained(nats: Nats, env: NodeJS.ProcessEnv, child: ChildProcess): Promise<void> {
  const wanted = await Promise.all(
    ['EVENTS', 'PUSH_RESULT'].map(async (stream) => [stream, (await nats.manager.streams.info(stream)).state.last_seq]),
  )
  const deadline = Date.now() + drainMs
  for (;;) {
    assert.equal(child.exitCode, null, 'the service ended by itself')
    const response = await fetch(`http://127.0.0.1:${env['STAMPEDE_ANALYTICS_HTTP_PORT']}/metrics`)
    const text = await response.text()
    const isDone = ([stream, sequence]: readonly (string | number)[]) =>
      text.includes(`ingest_position_messages{stream="${stream}"} ${sequence}\n`)
    if (wanted.every(isDone)) return
    assert.ok(Date.now() < deadline, 'not taken in time')
    await sleep(100)
  }
}

async function publish(nats: Nats): Promise<void> {
  const lines = Array.from({ length: linesEach }, (_, index) => ({
    sku: `sku-${index}`,
    quantity: 1n,
    amountMinor: 1n,
    category: 'c',
  }))
  for (let start = 0; start < receipts; start += publishAtOnce) {
    const part = Array.from({ length: Math.min(publishAtOnce, receipts - start) }, (_, index) => start + index)
    await Promise.all(
      part.map((index) =>
        nats.jetstream.publish(
          subjects.receipt('demo'),
          receiptEvent('demo', {
            memberId: `m-${index % 997}`,
            occurredAt: new Date(1_700_000_000_000 + index * 60_000),
            totalMinor: BigInt(index + 1),
            lines,
          }),
        ),
      ),
    )
  }
  await Promise.all(
    Array.from({ length: pushes }, (_, index) =>
      nats.jetstream.publish(subjects.pushResult('demo'), pushResult(index)),
    ),
  )
}

function pushResult(index: number): Uint8Array {
  const recipients = Array.from({ length: recipientsEach }, (_, recipient) => recipient)
  return PushResult.encode(
    PushResult.fromPartial({
      chunkId: `c/${index}/0`,
      brand: 'demo',
      campaignId: 'c',
      lane: 'bulk',
      outcomes: recipients.map(() => PushOutcome.PUSH_OUTCOME_ACCEPTED),
      reasons: [''],
      reasonIndex: recipients.map(() => 0),
      atMs: recipients.map((recipient) => BigInt(1_700_000_000_000 + recipient)),
      retries: recipients.map(() => 0),
      passNo: recipients.map((recipient) => BigInt(index * recipientsEach + recipient)),
      deviceLibraryId: recipients.map((recipient) => `device-${recipient}`),
      deadSinceMs: recipients.map(() => 0n),
    }),
  ).finish()
}
