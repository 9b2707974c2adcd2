import type { Sql } from '@stampede/platform'

/** A result of a part, counted. */
export interface PartResult {
  readonly brand: string
  readonly campaignId: string
  readonly index: number
  readonly part: number
  /** Parts of the chunk; 0 when it holds no phone. */
  readonly parts: number
  readonly recipients: number
  readonly accepted: number
  readonly failed: number
  readonly aborted: number
  readonly reasons: Readonly<Record<string, number>>
  /** Passes accepted and when, in columns. */
  readonly passNo: readonly bigint[]
  readonly acceptedAtMs: readonly bigint[]
}

/** Takes a part's result if it is the first; false when the part was counted before. */
export async function claimPart(sql: Sql, result: PartResult): Promise<boolean> {
  const rows = await sql.query({
    name: 'part-claim',
    text: `INSERT INTO chunk_part (brand, campaign_id, chunk_index, part, reasons, pass_no, accepted_at_ms)
           SELECT $1, $2, $3, $4, $5, $6, $7
            WHERE EXISTS (SELECT 1 FROM chunk WHERE brand = $1 AND campaign_id = $2 AND chunk_index = $3)
           ON CONFLICT DO NOTHING RETURNING part`,
    values: [
      result.brand,
      result.campaignId,
      result.index,
      result.part,
      JSON.stringify(result.reasons),
      result.passNo,
      result.acceptedAtMs,
    ],
  })
  return rows.length === 1
}

/** Adds a part's result to its chunk; gives whether that completed the chunk. */
export async function addResult(sql: Sql, result: PartResult, now: Date): Promise<boolean> {
  const last = newest(result.acceptedAtMs)
  const rows = await sql.query<{ complete: boolean }>({
    name: 'chunk-add-result',
    text: `UPDATE chunk SET parts = $4::int, parts_done = parts_done + $5,
             completed_at = CASE WHEN parts_done + $5 >= $4::int THEN coalesce(completed_at, $6) END,
             recipients = recipients + $7, accepted = accepted + $8, failed = failed + $9, aborted = aborted + $10,
             last_accepted_at = greatest(last_accepted_at, $11)
           WHERE brand = $1 AND campaign_id = $2 AND chunk_index = $3
           RETURNING completed_at IS NOT NULL AS complete`,
    values: [
      result.brand,
      result.campaignId,
      result.index,
      result.parts,
      result.parts === 0 ? 0 : 1,
      now,
      result.recipients,
      result.accepted,
      result.failed,
      result.aborted,
      last === 0n ? null : new Date(Number(last)),
    ],
  })
  return rows[0]?.complete ?? false
}

/** Counts pushes of a part that was delivered again; false when there is no such chunk. */
export async function addDuplicates(sql: Sql, result: PartResult): Promise<boolean> {
  const rows = await sql.query(
    'UPDATE chunk SET duplicates = duplicates + $4 WHERE brand = $1 AND campaign_id = $2 AND chunk_index = $3 RETURNING 1',
    [result.brand, result.campaignId, result.index, result.accepted],
  )
  return rows.length === 1
}

function newest(timesMs: readonly bigint[]): bigint {
  let latest = 0n
  for (const atMs of timesMs) if (atMs > latest) latest = atMs
  return latest
}
