import type { Sql } from '@stampede/platform'

/** A check of the whole ledger that is finished. */
export interface VerifyRun {
  readonly finishedAt: Date
  /** The broken rule; empty when all hold. */
  readonly invariant: string
  /** Postings that were recomputed; 0 when a rule is broken. */
  readonly transactions: bigint
  readonly seconds: number
}

/** Whoever claimed a run and has not finished it after so long is taken for dead. */
const claimHours = 3
const keptDays = 400

/** Takes the run that is due, unless somebody else has it; answers whether it is the caller's. */
export async function claimRun(sql: Sql, dueAt: Date, now: Date): Promise<boolean> {
  const rows = await sql.query(
    `INSERT INTO verify_run (due_at, claimed_at) VALUES ($1, $2)
     ON CONFLICT (due_at) DO UPDATE SET claimed_at = excluded.claimed_at
       WHERE verify_run.finished_at IS NULL
         AND verify_run.claimed_at < excluded.claimed_at - make_interval(hours => $3)
     RETURNING due_at`,
    [dueAt, now, claimHours],
  )
  return rows.length === 1
}

/** Writes down what a claimed run came to, and forgets runs older than 400 days. */
export async function finishRun(sql: Sql, dueAt: Date, run: VerifyRun): Promise<void> {
  await sql.query(
    `WITH old AS (DELETE FROM verify_run WHERE due_at < $2::timestamptz - make_interval(days => $6))
     UPDATE verify_run SET finished_at = $2, invariant = $3, transactions = $4, seconds = $5 WHERE due_at = $1`,
    [dueAt, run.finishedAt, run.invariant, run.transactions, run.seconds, keptDays],
  )
}

/** The run that was finished last; undefined before the first. */
export async function newestRun(sql: Sql): Promise<VerifyRun | undefined> {
  const [row] = await sql.query<{ finished_at: Date; invariant: string; transactions: bigint; seconds: number }>(
    `SELECT finished_at, invariant, transactions, seconds FROM verify_run
     WHERE finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT 1`,
  )
  if (row === undefined) return undefined
  const { finished_at: finishedAt, invariant, transactions, seconds } = row
  return { finishedAt, invariant, transactions, seconds }
}
