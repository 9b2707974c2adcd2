import type { Sql } from '@stampede/platform'

/**
 * Statements of the ledger find a few hundred rows by key, always. Without statistics (a first load), and in plans
 * that were cached while a table was small, the planner would read whole tables instead: forbidden for a transaction.
 * Look-ups by key are written key by key (LATERAL, LIMIT 1): joined, a few keys would make the planner read the whole
 * index of a table that it takes for small, and look for each row among the keys.
 */
const byKeyOnly = 'SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off'

/** Prepares a transaction that posts. */
export async function beginPosting(tx: Sql): Promise<void> {
  await tx.query(byKeyOnly)
}

/** Prepares a transaction that reads one snapshot. */
export async function beginReading(tx: Sql): Promise<void> {
  await tx.query(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; ${byKeyOnly}`)
}
