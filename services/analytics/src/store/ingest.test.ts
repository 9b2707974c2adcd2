import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type ClickHouse, openClickHouse } from '@stampede/platform'
import { type TestClickHouse, testClickHouse } from '@stampede/platform/testing'
import type { RowSet } from '../domain/tables.ts'
import { decodeBatch, eventSource, repeatedReceipts, rowsWithout } from '../jobs/source.ts'
import { memberEvent, receiptEvent } from '../testing/events.ts'
import { execute, selectRow } from './clickhouse.ts'
import { activityAgrees, replayRange, storeRange } from './ingest.ts'
import { createTables, storeId } from './schema.ts'

const range = { source: 'EVENTS@1', first: 1, last: 4 }
const tables = ['receipts', 'receipt_lines', 'member_activity', 'members'] as const

describe('storing a range', () => {
  let store: TestClickHouse

  before(async () => {
    store = await testClickHouse()
  })
  after(() => store[Symbol.asyncDispose]())
  beforeEach(async () => {
    for (const table of tables) await execute(store.client, `DROP TABLE IF EXISTS stampede.${table}`)
    await createTables(store.client)
  })

  const events = ['m-1', 'm-2', 'm-3'].map((memberId) =>
    receiptEvent('demo', { memberId, occurredAt: new Date(1.7e12) }),
  )
  const batch = decodeBatch(
    eventSource,
    range.source,
    [...events, memberEvent('demo', 'm-1')].map((data, index) => ({ subject: 's', data, sequence: index + 1 })),
  )
  const rows: RowSet = rowsWithout(batch, [])

  async function counts(): Promise<readonly number[]> {
    const row = await selectRow<Record<string, number>>(
      store.client,
      `SELECT toUInt32((SELECT count() FROM stampede.receipts)) AS receipts, toUInt32((SELECT count() FROM stampede.receipt_lines)) AS lines,
         toUInt32((SELECT sum(sales) FROM stampede.member_activity)) AS activity, toUInt32((SELECT count() FROM stampede.members FINAL)) AS members`,
    )
    return [row['receipts'] ?? -1, row['lines'] ?? -1, row['activity'] ?? -1, row['members'] ?? -1]
  }

  it('twice stores it once, in the tables and in the view', async () => {
    await storeRange(store.client, range, rows)
    await storeRange(store.client, range, rows)
    assert.deepEqual(await counts(), [3, 3, 3, 1])
    await replayRange(store.client, range, rows)
    assert.deepEqual(await counts(), [3, 3, 3, 1])
  })

  it('leaves no token behind that would drop the rows of others', async () => {
    await storeRange(store.client, range, rows)
    const others = decodeBatch(
      eventSource,
      'EVENTS@1',
      events.map((_, index) => ({
        subject: 's',
        data: receiptEvent('demo', { memberId: 'm-9', occurredAt: new Date(1.7e12) }),
        sequence: 10 + index,
      })),
    )
    await storeRange(store.client, { ...range, first: 10, last: 12 }, rowsWithout(others, []))
    assert.deepEqual(await counts(), [6, 6, 6, 1])
    const token = await selectRow<{ value: string }>(
      store.client,
      "SELECT value FROM system.settings WHERE name = 'insert_deduplication_token'",
    )
    assert.equal(token.value, '')
  })

  it('again brings back rows whose token alone survived a kill', async () => {
    await storeRange(store.client, range, rows)
    for (const table of ['receipts', 'receipt_lines'])
      await execute(store.client, `ALTER TABLE stampede.${table} DELETE WHERE 1 SETTINGS mutations_sync = 1`)
    // What a plain repetition does: nothing, for the token is known.
    await storeRange(store.client, range, rows)
    assert.deepEqual((await counts()).slice(0, 2), [0, 0])
    await replayRange(store.client, range, rows)
    assert.deepEqual(await counts(), [3, 3, 3, 1])
    assert.ok(await activityAgrees(store.client))
  })

  it('again repairs a view that a kill left short', async () => {
    await storeRange(store.client, range, rows)
    await execute(store.client, 'ALTER TABLE stampede.member_activity DELETE WHERE 1 SETTINGS mutations_sync = 1')
    assert.equal(await activityAgrees(store.client), false)
    await replayRange(store.client, range, rows)
    assert.deepEqual(await counts(), [3, 3, 3, 1])
  })

  it('is told which receipts are repeated, in the store and in the batch itself', async () => {
    const twice = decodeBatch(
      eventSource,
      range.source,
      [events[0], events[1], events[0]].map((data, index) => ({
        subject: 's',
        data: data ?? new Uint8Array(),
        sequence: index + 1,
      })),
    )
    assert.deepEqual(await repeatedReceipts(store.client, twice), [3])
    await storeRange(store.client, range, rowsWithout(twice, [3]))
    assert.deepEqual(await repeatedReceipts(store.client, twice), [1, 2, 3])
  })

  it('does not wait for a long statement on another connection', async () => {
    await using other: ClickHouse = await openClickHouse({ dataDir: store.dataDir })
    const order: string[] = []
    const slow = execute(other, 'SELECT sum(sleepEachRow(0.2)) FROM numbers(5) SETTINGS max_block_size = 1').then(
      () => {
        order.push('long')
      },
    )
    await storeRange(store.client, range, rows)
    order.push('range')
    await slow
    assert.deepEqual(order, ['range', 'long'])
  })

  it('belongs to one store, which keeps its identity', async () => {
    assert.equal(await storeId(store.client), await storeId(store.client))
  })
})
