import type { ClickHouse } from '@stampede/platform'
import type { ReceiptKey } from '../domain/event-rows.ts'
import { isLogTable, type LogTableName, type RowSet } from '../domain/tables.ts'
import { execute, insertOnce, selectRow, selectRows } from './clickhouse.ts'

/** Receipts looked up per statement: on a server parameters travel in the address, which is limited. */
const lookupMax = 1_000
/** Tries to store a range whose rows did not arrive although their token is known. */
const replayAttemptsMax = 4

/** A range of a stream; with the name of its source it is the deduplication token of its rows. */
export interface Range {
  readonly source: string
  readonly first: number
  readonly last: number
}

function tokenOf(range: Range): string {
  return `${range.source}:${range.first}:${range.last}`
}

/** Stores the rows of a range, once however often it is called. */
export async function storeRange(client: ClickHouse, range: Range, rows: RowSet): Promise<void> {
  for (const [table, lines] of rows) await insertOnce(client, table, tokenOf(range), lines)
}

/**
 * Stores the rows of a range that a killed process may have stored in part. A block's token is written down before the block itself,
 * so a kill in between leaves a token without rows, and the engine would drop the repetition: rows are therefore counted,
 * and sent under another token if they are not there.
 */
export async function replayRange(client: ClickHouse, range: Range, rows: RowSet): Promise<void> {
  for (const [table, lines] of rows) {
    if (isLogTable(table)) await replayLog(client, range, table, lines)
    else await insertOnce(client, table, `${tokenOf(range)}:replay:${Date.now()}`, lines)
  }
  if (rows.has('receipts')) await repairActivity(client)
}

async function replayLog(
  client: ClickHouse,
  range: Range,
  table: LogTableName,
  lines: readonly string[],
): Promise<void> {
  for (let attempt = 1; attempt <= replayAttemptsMax; attempt++) {
    const token = attempt === 1 ? tokenOf(range) : `${tokenOf(range)}:replay:${attempt}`
    await insertOnce(client, table, token, lines)
    const stored = await countRange(client, range, table)
    // More are there when messages have left the stream since the range was fixed.
    if (stored >= lines.length) return
  }
  throw new Error(`rows of ${table} are not stored after ${replayAttemptsMax} tries`)
}

async function countRange(client: ClickHouse, range: Range, table: LogTableName): Promise<number> {
  const { rows } = await selectRow<{ rows: string }>(
    client,
    `SELECT toString(count()) AS rows FROM stampede.${table} WHERE source = {source:String} AND sequence BETWEEN {first:UInt64} AND {last:UInt64}`,
    { ...range },
  )
  return Number(rows)
}

/** Whether the activity of members says the same as the receipts from which it is derived. */
export async function activityAgrees(client: ClickHouse): Promise<boolean> {
  const { agrees } = await selectRow<{ agrees: number }>(
    client,
    `SELECT (SELECT (countIf(kind = 'sale'), countIf(kind = 'return'), sumIf(total_minor, kind = 'sale'), sumIf(total_minor, kind = 'return'))
               FROM stampede.receipts)
          = (SELECT (sum(sales), sum(returns), sum(sales_minor), sum(returned_minor)) FROM stampede.member_activity) AS agrees`,
  )
  return agrees === 1
}

/** Derives the activity anew if a kill left it short of the receipts. */
async function repairActivity(client: ClickHouse): Promise<void> {
  if (await activityAgrees(client)) return
  await execute(client, 'TRUNCATE TABLE stampede.member_activity')
  await execute(
    client,
    `INSERT INTO stampede.member_activity SETTINGS insert_deduplicate = 0
     SELECT brand, member_id, occurred_at, countIf(kind = 'sale'), sumIf(total_minor, kind = 'sale'), countIf(kind = 'return'),
       sumIf(total_minor, kind = 'return'), sum(if(kind = 'sale', points_earned, -points_earned)), sum(if(kind = 'sale', points_spent, -points_spent))
     FROM stampede.receipts GROUP BY brand, member_id, occurred_at`,
  )
}

/** Which of the receipts are stored already; each key as `receiptKeyText` gives it. */
export async function knownReceipts(client: ClickHouse, receipts: readonly ReceiptKey[]): Promise<ReadonlySet<string>> {
  const known = new Set<string>()
  for (let start = 0; start < receipts.length; start += lookupMax) {
    const part = receipts.slice(start, start + lookupMax)
    // Brand and member lead the table's order: only their granules are read.
    const rows = await selectRows<{ brand: string; memberId: string; receiptId: string }>(
      client,
      `SELECT brand, member_id AS memberId, receipt_id AS receiptId FROM stampede.receipts
       WHERE brand IN {brands:Array(String)} AND member_id IN {members:Array(String)} AND receipt_id IN {receipts:Array(String)}`,
      {
        brands: [...new Set(part.map((receipt) => receipt.brand))],
        members: [...new Set(part.map((receipt) => receipt.memberId))],
        receipts: part.map((receipt) => receipt.receiptId),
      },
    )
    for (const row of rows) known.add(receiptKeyText(row))
  }
  return known
}

/** A receipt's key as one text. */
export function receiptKeyText(receipt: ReceiptKey): string {
  return `${receipt.brand} ${receipt.receiptId}`
}
