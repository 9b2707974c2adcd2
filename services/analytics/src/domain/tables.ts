/** Columns of every table that ingestion writes to, in the order of a row. */
export const tableColumns = {
  receipts: [
    'brand',
    'member_id',
    'occurred_at',
    'receipt_id',
    'kind',
    'store_id',
    'till_id',
    'number',
    'total_minor',
    'points_earned',
    'points_spent',
    'line_count',
    'original_receipt_id',
    'source',
    'sequence',
  ],
  receipt_lines: [
    'brand',
    'member_id',
    'occurred_at',
    'receipt_id',
    'line',
    'kind',
    'sku',
    'category',
    'quantity',
    'amount_minor',
    'source',
    'sequence',
  ],
  accounts: ['brand', 'member_id', 'version', 'available', 'pending', 'held', 'debt', 'lifetime_earned'],
  members: ['brand', 'member_id', 'version', 'status', 'locale', 'marketing_consent', 'enrolled_at', 'store_id'],
  passes: ['brand', 'no', 'version', 'member_id', 'devices', 'google_object'],
  push_outcomes: [
    'brand',
    'campaign_id',
    'pass_no',
    'device_library_id',
    'at',
    'lane',
    'outcome',
    'reason',
    'retries',
    'chunk_id',
    'position',
    'source',
    'sequence',
  ],
  fetches: [
    'brand',
    'campaign_id',
    'pass_no',
    'fetched_at',
    'changed_at',
    'device',
    'pass_version',
    'pushed_at',
    'source',
    'sequence',
  ],
  campaigns: ['brand', 'campaign_id', 'version', 'name', 'status', 'campaign_seq', 'audience', 'chunks'],
} as const

/** A table that ingestion writes to. */
export type TableName = keyof typeof tableColumns

/** Tables that keep every row, with its origin in it; all others keep the newest version per key. */
export type LogTableName = 'receipts' | 'receipt_lines' | 'push_outcomes' | 'fetches'

const logTables: readonly TableName[] = ['receipts', 'receipt_lines', 'push_outcomes', 'fetches']

/** Whether the table keeps every row: sending one twice under two tokens would store it twice. */
export function isLogTable(table: TableName): table is LogTableName {
  return logTables.includes(table)
}

/** Where a message stands: the stream (with its incarnation) and the sequence in it. */
export interface Origin {
  readonly source: string
  readonly sequence: number
}

/** One cell, as JSON takes it; 64-bit integers and instants travel as text. */
export type Cell = string | number | boolean | null

/** Rows by table, in the order of the stream; each row is a line of JSONCompactEachRow. */
export type RowSet = Map<TableName, string[]>

/** Adds a row; its cells are in the order of `tableColumns`. */
export function addRow(rows: RowSet, table: TableName, row: readonly Cell[]): void {
  const line = JSON.stringify(row)
  const lines = rows.get(table)
  if (lines) lines.push(line)
  else rows.set(table, [line])
}

/** Adds all rows of another set behind those of the first. */
export function appendRows(rows: RowSet, others: RowSet): void {
  for (const [table, lines] of others) {
    const own = rows.get(table)
    if (!own) rows.set(table, [...lines])
    else for (const line of lines) own.push(line)
  }
}

/** An instant as ClickHouse reads it in UTC; throws MalformedMessage when it is no instant of the years 1900 to 2299. */
export function instantCell(instant: Date): string {
  const year = instant.getUTCFullYear()
  // NaN fails both comparisons.
  if (!(year >= 1900 && year < 2300)) throw new MalformedMessage('an instant is missing or out of range')
  return instant.toISOString().replace('T', ' ').slice(0, -1)
}

/** An instant given as Unix milliseconds. */
export function millisecondsCell(unixMs: bigint): string {
  return instantCell(new Date(Number(unixMs)))
}

/** Thrown for a message that cannot become rows; it is set aside, never retried. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage'
}
