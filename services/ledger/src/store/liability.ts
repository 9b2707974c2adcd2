import type { Database } from '@stampede/platform'
import { POINTS } from './keys.ts'

/** Points that expire in one month and are borne by one funder. */
export interface LiabilityBucket {
  /** YYYY-MM-01, UTC; empty for points that never expire. */
  readonly month: string
  readonly funder: string
  readonly available: bigint
  readonly pending: bigint
  readonly held: bigint
}

/** What a brand owes its members, and all that was ever posted. */
export interface Liability {
  readonly buckets: readonly LiabilityBucket[]
  /** Sums of the entries by account, those of detached months included. */
  readonly entries: ReadonlyMap<string, bigint>
}

/** Buckets of a report at most. */
const BUCKETS_MAX = 10_000

/** Reads both sides in one snapshot. */
export async function readLiability(database: Database, brand: string): Promise<Liability> {
  return database.transaction(async (tx) => {
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    const buckets = await tx.query<Omit<LiabilityBucket, 'month'> & { readonly month: string | null }>(
      `SELECT to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-01') AS month, funder,
         sum(available)::bigint AS available, sum(pending)::bigint AS pending, sum(held)::bigint AS held
       FROM lot WHERE brand = $1 AND currency = $2 AND (available > 0 OR pending > 0 OR held > 0)
       GROUP BY 1, 2 ORDER BY 1 NULLS LAST, 2 LIMIT $3`,
      [brand, POINTS, BUCKETS_MAX],
    )
    const entries = await tx.query<{ account: string; amount: bigint }>(
      `SELECT account, sum(amount)::bigint AS amount FROM (
         SELECT account::text, amount FROM entry WHERE brand = $1 AND currency = $2
         UNION ALL SELECT o.account::text, o.amount FROM opening
           CROSS JOIN LATERAL unnest(entry_accounts, entry_amounts) o (account, amount)
         WHERE brand = $1 AND currency = $2) book GROUP BY account`,
      [brand, POINTS],
    )
    const dated = buckets.map((bucket) => ({ ...bucket, month: bucket.month ?? '' }))
    return { buckets: dated, entries: new Map(entries.map(({ account, amount }) => [account, amount])) }
  })
}
