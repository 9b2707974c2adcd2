import { Readable } from 'node:stream'
import type { ClickHouse } from '@stampede/platform'
import { type TableName, tableColumns } from '../domain/tables.ts'

/** Values of `{name:Type}` parameters; 64-bit integers as text. */
export type Parameters = Readonly<Record<string, unknown>>

/** Rows of a query. 64-bit integers must be selected with toString(), or JSON rounds them. */
export async function selectRows<R extends object>(
  client: ClickHouse,
  query: string,
  parameters: Parameters = {},
): Promise<readonly R[]> {
  const result = await client.query({ query, query_params: { ...parameters }, format: 'JSONEachRow' })
  return await result.json<R>()
}

/** The only row of a query that always has one. */
export async function selectRow<R extends object>(
  client: ClickHouse,
  query: string,
  parameters: Parameters = {},
): Promise<R> {
  const [row] = await selectRows<R>(client, query, parameters)
  if (row === undefined) throw new Error('the query gave no row')
  return row
}

/** Runs a statement without an answer. */
export async function execute(client: ClickHouse, query: string, parameters: Parameters = {}): Promise<void> {
  await client.command({ query, query_params: { ...parameters } })
}

/**
 * Inserts rows (lines of JSONCompactEachRow) as one block that is stored once however often it is sent under its token.
 *
 * Settings stand in the statement: the embedded engine keeps those that are given with a call for all later calls of
 * the connection, and a token that stays behind makes it drop other rows without a word.
 */
export async function insertOnce(
  client: ClickHouse,
  table: TableName,
  token: string,
  lines: readonly string[],
): Promise<void> {
  const result = await client.exec({
    query:
      `INSERT INTO stampede.${table} (${tableColumns[table].join(', ')}) SETTINGS insert_deduplication_token = {token:String}, ` +
      'insert_deduplicate = 1, deduplicate_blocks_in_dependent_materialized_views = 1, async_insert = 0, ' +
      'input_format_parallel_parsing = 0 FORMAT JSONCompactEachRow',
    query_params: { token },
    values: Readable.from([`${lines.join('\n')}\n`]),
  })
  result.stream.resume()
}
