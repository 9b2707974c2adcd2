import type { Database, Sql } from '@stampede/platform'
import type { TableMonth } from './months.ts'

/** Days that answers are kept. */
const ANSWERS_KEPT_DAYS = 400

/** How long rows that are kept by month stay in the ledger. */
export interface Retention {
  /** Full months that postings and receipts stay attached after their own; undefined: for ever. */
  readonly keptMonths: number | undefined
}

/**
 * Drops the months of answers that were kept long enough and detaches old months of postings and receipts, oldest
 * first, each in a transaction of its own: nobody can post while a month is being detached. A detached month stays in the
 * schema as a table of its own, to be archived and dropped by whoever runs the database; what its postings came to is
 * kept as opening balances. Adding up a large month takes minutes: `database` must allow it. Answers what it took away.
 */
export async function retireMonths(
  database: Database,
  now: Date,
  { keptMonths }: Retention,
): Promise<readonly TableMonth[]> {
  const retired: TableMonth[] = []
  for (;;) {
    const one = await database.transaction(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ledger.months', 0))`)
      const due = await firstDueMonth(tx, now, keptMonths)
      if (due !== undefined) await retireMonth(tx, due, now)
      return due
    })
    if (one === undefined) return retired
    retired.push(one)
  }
}

async function firstDueMonth(tx: Sql, now: Date, keptMonths: number | undefined): Promise<TableMonth | undefined> {
  const [first] = await tx.query<TableMonth & Record<string, unknown>>(
    `SELECT parent AS table, month FROM (
       SELECT p.relname AS parent, to_char(to_date(right(c.relname, 7), 'YYYY_MM'), 'YYYY-MM-01') AS month,
         to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' AS ends
       FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
       WHERE p.relname IN ('posting', 'receipt', 'idempotency') AND p.relnamespace = current_schema()::regnamespace
         AND c.relkind = 'r') months
     WHERE CASE parent WHEN 'idempotency' THEN ends + make_interval(days => $2) <= $1::timestamptz AT TIME ZONE 'UTC'
       ELSE $3::integer IS NOT NULL
         AND ends + make_interval(months => $3) <= date_trunc('month', $1::timestamptz AT TIME ZONE 'UTC') END
     ORDER BY month, parent LIMIT 1`,
    [now, ANSWERS_KEPT_DAYS, keptMonths ?? null],
  )
  return first
}

async function retireMonth(tx: Sql, { table, month }: TableMonth, now: Date): Promise<void> {
  const partition = `${table}_${month.slice(0, 7).replace('-', '_')}`
  if (table === 'posting') await openBooksAfter(tx, month)
  if (table === 'idempotency') await tx.query(`DROP TABLE ${partition}`)
  else await tx.query(`ALTER TABLE ${table} DETACH PARTITION ${partition}`)
  await tx.query('INSERT INTO detached_month (parent, month, detached_at) VALUES ($1, $2, $3)', [table, month, now])
}

/** Adds what a month's postings came to to the openings. */
async function openBooksAfter(tx: Sql, month: string): Promise<void> {
  await tx.query(
    `INSERT INTO opening (brand, member_id, currency, version, entry_accounts, entry_amounts)
     SELECT brand, member_id, currency, max(version), array_agg(account ORDER BY account),
       array_agg(amount ORDER BY account)
     FROM (SELECT brand, member_id, currency, max(version) AS version, account, sum(amount)::bigint AS amount
       FROM (SELECT brand, member_id, currency, version, entry_accounts, entry_amounts FROM posting WHERE month = $1
         UNION ALL
         SELECT o.brand, o.member_id, o.currency, o.version, o.entry_accounts, o.entry_amounts FROM opening o
         WHERE EXISTS (SELECT FROM posting p WHERE p.brand = o.brand AND p.member_id = o.member_id
           AND p.currency = o.currency AND p.month = $1)) moved
       LEFT JOIN LATERAL unnest(entry_accounts, entry_amounts) e (account, amount) ON true
       GROUP BY brand, member_id, currency, account) sums
     GROUP BY brand, member_id, currency
     ON CONFLICT (brand, member_id, currency) DO UPDATE SET version = excluded.version,
       entry_accounts = excluded.entry_accounts, entry_amounts = excluded.entry_amounts`,
    [month],
  )
  await tx.query(
    `INSERT INTO opening_lot (brand, member_id, currency, lot_id, available, pending, held)
     SELECT brand, member_id, currency, lot_id, sum(available), sum(pending), sum(held)
     FROM posting CROSS JOIN LATERAL unnest(lot_ids, lot_available, lot_pending, lot_held)
       a (lot_id, available, pending, held)
     WHERE month = $1 GROUP BY brand, member_id, currency, lot_id
     ON CONFLICT (brand, member_id, currency, lot_id) DO UPDATE SET available = opening_lot.available + excluded.available,
       pending = opening_lot.pending + excluded.pending, held = opening_lot.held + excluded.held`,
    [month],
  )
}
