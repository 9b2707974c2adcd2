import type { Sql } from '@stampede/platform'

/** Counters of a campaign, summed over its chunks. */
export interface ProgressRow {
  readonly recipients: bigint
  readonly accepted: bigint
  readonly failed: bigint
  readonly aborted: bigint
  readonly fetched: bigint
  readonly fetchedWithin60s: bigint
  readonly duplicates: bigint
  readonly chunks: number
  readonly released: number
  readonly completed: number
  readonly lastAcceptedAt: Date | undefined
}

/** Sums a campaign's chunks: at most a few hundred rows. */
export async function readProgress(sql: Sql, brand: string, campaignId: string): Promise<ProgressRow> {
  const [row] = await sql.query<Omit<ProgressRow, 'lastAcceptedAt'> & { readonly lastAcceptedAt: Date | null }>({
    name: 'chunk-progress',
    text: `SELECT coalesce(sum(recipients), 0)::bigint AS recipients, coalesce(sum(accepted), 0)::bigint AS accepted,
             coalesce(sum(failed), 0)::bigint AS failed, coalesce(sum(aborted), 0)::bigint AS aborted,
             coalesce(sum(fetched_count), 0)::bigint AS fetched,
             coalesce(sum(fetched_within_60s), 0)::bigint AS "fetchedWithin60s",
             coalesce(sum(duplicates), 0)::bigint AS duplicates,
             count(*)::int AS chunks, count(released_at)::int AS released, count(completed_at)::int AS completed,
             max(last_accepted_at) AS "lastAcceptedAt"
           FROM chunk WHERE brand = $1 AND campaign_id = $2`,
    values: [brand, campaignId],
  })
  if (row === undefined) throw new Error('an aggregate returns a row')
  return { ...row, lastAcceptedAt: row.lastAcceptedAt ?? undefined }
}

/** Failures by reason. */
export async function readReasons(
  sql: Sql,
  brand: string,
  campaignId: string,
): Promise<Readonly<Record<string, bigint>>> {
  const rows = await sql.query<{ reason: string; pushes: bigint }>(
    `SELECT key AS reason, sum(value::bigint)::bigint AS pushes FROM chunk_part, jsonb_each_text(reasons)
      WHERE brand = $1 AND campaign_id = $2 GROUP BY key`,
    [brand, campaignId],
  )
  return Object.fromEntries(rows.map(({ reason, pushes }) => [reason, pushes]))
}
