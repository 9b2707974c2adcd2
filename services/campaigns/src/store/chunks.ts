import { bitmapBytes, type Sql } from '@stampede/platform'

/** A row of a frozen audience. */
export interface ChunkRow {
  readonly index: number
  readonly base: bigint
  readonly bitmap: Buffer
  readonly passes: number
}

const outstandingSeconds = 60

/** Stores the frozen audience. */
export async function insertChunks(
  sql: Sql,
  brand: string,
  campaignId: string,
  chunks: readonly ChunkRow[],
): Promise<void> {
  await sql.query(
    `INSERT INTO chunk (brand, campaign_id, chunk_index, base, bitmap, passes, fetched)
     SELECT $1, $2, i, b, m, p, decode(repeat('00', ${bitmapBytes}), 'hex')
       FROM unnest($3::int[], $4::bigint[], $5::bytea[], $6::int[]) AS r(i, b, m, p)`,
    [
      brand,
      campaignId,
      chunks.map(({ index }) => index),
      chunks.map(({ base }) => base),
      chunks.map(({ bitmap }) => bitmap),
      chunks.map(({ passes }) => passes),
    ],
  )
}

/**
 * Phones on their way of a released chunk, with the parameter `since`: all of one that is not complete; of a complete one
 * those that were accepted after it and have not come. Older ones are taken for switched off: they must not hold up the
 * campaign for ever.
 */
const phonesOnTheirWay = (since: string): string =>
  `CASE WHEN completed_at IS NULL THEN passes - least(fetched_count, passes)
        WHEN last_accepted_at > ${since} THEN greatest(accepted - fetched_count, 0)
        ELSE 0 END`

/** How many chunks are on their way, and how many phones. */
export interface Outstanding {
  readonly open: number
  readonly phones: number
}

/** Chunks of a campaign released and not complete, and the phones on their way. */
export async function readOutstanding(sql: Sql, brand: string, campaignId: string, now: Date): Promise<Outstanding> {
  const [row] = await sql.query<{ open: number; phones: bigint }>({
    name: 'chunk-outstanding',
    text: `SELECT count(*) FILTER (WHERE completed_at IS NULL)::int AS open,
             coalesce(sum(${phonesOnTheirWay('$3')}), 0)::bigint AS phones
           FROM chunk WHERE brand = $1 AND campaign_id = $2 AND released_at IS NOT NULL`,
    values: [brand, campaignId, outstandingSince(now)],
  })
  return { open: row?.open ?? 0, phones: Number(row?.phones ?? 0n) }
}

/** What the campaigns of a brand have on the way and before them. */
export interface BrandLoad {
  readonly brand: string
  /** Phones on their way. */
  readonly outstanding: number
  /** Passes of chunks that are not released. */
  readonly waiting: number
}

/** The load of every brand with a campaign that runs, waits, or has just ended. */
export async function readLoads(sql: Sql, now: Date): Promise<readonly BrandLoad[]> {
  const rows = await sql.query<{ brand: string; outstanding: bigint; waiting: bigint }>({
    name: 'campaign-loads',
    text: `SELECT brand,
             coalesce(sum(${phonesOnTheirWay('$1')}) FILTER (WHERE released_at IS NOT NULL), 0)::bigint AS outstanding,
             coalesce(sum(passes) FILTER (WHERE released_at IS NULL AND status IN ('running', 'paused')), 0)::bigint
               AS waiting
           FROM campaign JOIN chunk USING (brand, campaign_id)
           WHERE status IN ('running', 'paused') OR finished_at > $1 GROUP BY brand`,
    values: [outstandingSince(now)],
  })
  return rows.map((row) => ({ ...row, outstanding: Number(row.outstanding), waiting: Number(row.waiting) }))
}

function outstandingSince(now: Date): Date {
  return new Date(now.getTime() - outstandingSeconds * 1000)
}

/** The next chunks that wait, in order. */
export async function readWaiting(
  sql: Sql,
  brand: string,
  campaignId: string,
  limit: number,
): Promise<readonly ChunkRow[]> {
  return sql.query<ChunkRow>(
    `SELECT chunk_index AS index, base, bitmap, passes FROM chunk
      WHERE brand = $1 AND campaign_id = $2 AND released_at IS NULL ORDER BY chunk_index LIMIT $3`,
    [brand, campaignId, limit],
  )
}

/** Marks chunks as released. */
export async function markReleased(
  sql: Sql,
  brand: string,
  campaignId: string,
  indexes: readonly number[],
  now: Date,
): Promise<void> {
  await sql.query(
    'UPDATE chunk SET released_at = $4 WHERE brand = $1 AND campaign_id = $2 AND chunk_index = ANY($3::int[])',
    [brand, campaignId, indexes, now],
  )
}

/** How many running campaigns have chunks that wait: they share the capacity. */
export async function countWaitingCampaigns(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ campaigns: number }>({
    name: 'campaign-count-waiting',
    text: `SELECT count(*)::int AS campaigns FROM campaign p WHERE status = 'running' AND EXISTS (
             SELECT 1 FROM chunk c
              WHERE c.brand = p.brand AND c.campaign_id = p.campaign_id AND c.released_at IS NULL)`,
  })
  return row?.campaigns ?? 0
}

/** Whether every chunk of a campaign is complete. */
export async function isComplete(sql: Sql, brand: string, campaignId: string): Promise<boolean> {
  const rows = await sql.query(
    'SELECT 1 AS open FROM chunk WHERE brand = $1 AND campaign_id = $2 AND completed_at IS NULL LIMIT 1',
    [brand, campaignId],
  )
  return rows.length === 0
}
