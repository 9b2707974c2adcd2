import type { Sql } from '@stampede/platform'

/** A chunk's record of fetched passes, locked. */
export interface FetchedChunk {
  readonly index: number
  readonly base: bigint
  readonly bitmap: Buffer
  readonly fetched: Buffer
}

/** Locks the chunks of a campaign that hold these rows of pass numbers, in a fixed order. */
export async function lockChunks(
  sql: Sql,
  brand: string,
  campaignId: string,
  bases: readonly bigint[],
): Promise<readonly FetchedChunk[]> {
  return sql.query<FetchedChunk>(
    `SELECT chunk_index AS index, base, bitmap, fetched FROM chunk
      WHERE brand = $1 AND campaign_id = $2 AND base = ANY($3::bigint[]) ORDER BY chunk_index FOR UPDATE`,
    [brand, campaignId, bases],
  )
}

/** When these passes of a chunk were first accepted, Unix ms by pass number. */
export async function readAcceptedAt(
  sql: Sql,
  brand: string,
  campaignId: string,
  index: number,
  passNo: readonly bigint[],
): Promise<ReadonlyMap<bigint, bigint>> {
  const rows = await sql.query<{ pass_no: bigint; at_ms: bigint }>(
    `SELECT a.pass_no, min(a.at_ms) AS at_ms FROM chunk_part p, unnest(p.pass_no, p.accepted_at_ms) AS a(pass_no, at_ms)
      WHERE brand = $1 AND campaign_id = $2 AND chunk_index = $3 AND a.pass_no = ANY($4::bigint[])
      GROUP BY a.pass_no`,
    [brand, campaignId, index, passNo],
  )
  return new Map(rows.map(({ pass_no, at_ms }) => [pass_no, at_ms]))
}

/** Stores which passes were fetched. */
export async function setFetched(
  sql: Sql,
  brand: string,
  campaignId: string,
  chunk: { readonly index: number; readonly fetched: Buffer; readonly added: number; readonly within60s: number },
): Promise<void> {
  await sql.query(
    `UPDATE chunk SET fetched = $4, fetched_count = fetched_count + $5, fetched_within_60s = fetched_within_60s + $6
      WHERE brand = $1 AND campaign_id = $2 AND chunk_index = $3`,
    [brand, campaignId, chunk.index, chunk.fetched, chunk.added, chunk.within60s],
  )
}
