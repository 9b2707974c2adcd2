import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openClickHouse } from './clickhouse.ts'
import { testClickHouse } from './testing/index.ts'

test('rows inserted twice under one token are there once, and survive closing and opening again', async () => {
  await using first = await testClickHouse()
  await first.client.command({
    query: `CREATE TABLE receipts (id UInt64, points Int64) ENGINE = MergeTree ORDER BY id
            SETTINGS non_replicated_deduplication_window = 100`,
  })
  const insert = (token: string, id: number): Promise<unknown> =>
    first.client.insert({
      table: 'receipts',
      values: [{ id, points: 5 }],
      format: 'JSONEachRow',
      clickhouse_settings: { insert_deduplication_token: token },
    })
  await insert('EVENTS 1-10', 1)
  await insert('EVENTS 1-10', 1)
  await insert('EVENTS 11-20', 2)
  await first.client.close()
  await using again = await openClickHouse({ dataDir: first.dataDir })
  const result = await again.query({ query: 'SELECT id FROM receipts ORDER BY id', format: 'JSONEachRow' })
  assert.deepEqual(
    (await result.json<{ id: number }>()).map(({ id }) => Number(id)),
    [1, 2],
  )
  const database = await again.query({
    query: "SELECT engine, getSetting('max_threads') AS threads FROM system.databases WHERE name = currentDatabase()",
    format: 'JSONEachRow',
  })
  assert.deepEqual(
    (await database.json<{ engine: string; threads: unknown }>()).map((row) => [row.engine, Number(row.threads)]),
    [['Atomic', 2]],
  )
})
