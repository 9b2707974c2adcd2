import type { Sql } from '@stampede/platform'
import { asThresholds, type SnapshotThresholds } from '../domain/scoring.ts'
import type { ScoredSnapshot } from './scores.ts'

/** A snapshot that is complete and may be read. */
export interface Snapshot {
  /** Id of its rows in ClickHouse. */
  readonly snapshotId: string
  readonly asOf: Date
  readonly members: number
  /** Undefined when the brand had no buyer. */
  readonly thresholds: SnapshotThresholds | undefined
}

/** A request for a snapshot, and what became of it. */
export interface SnapshotRequest {
  /** As the caller asked; undefined when it was left to us. */
  readonly requestedAsOf: Date | undefined
  readonly asOf: Date
  /** Undefined until it is complete. */
  readonly snapshot: Snapshot | undefined
}

/** Name of a request: its key is the brand's own. */
export interface SnapshotKey {
  readonly brand: string
  readonly idempotencyKey: string
}

interface SnapshotRow {
  readonly requested_as_of: Date | null
  readonly as_of: Date
  readonly snapshot_id: string | null
  readonly members: bigint
  readonly recency_thresholds: readonly number[]
  readonly frequency_thresholds: readonly number[]
  readonly monetary_thresholds: readonly number[]
}

const columns =
  'requested_as_of, as_of, snapshot_id, members, recency_thresholds, frequency_thresholds, monetary_thresholds'

/** Writes the request down, or gives the one that has used its key before. */
export async function beginSnapshot(
  sql: Sql,
  key: SnapshotKey,
  requestedAsOf: Date | undefined,
  now: Date,
): Promise<SnapshotRequest> {
  await sql.query(
    `INSERT INTO snapshots (brand, idempotency_key, requested_as_of, as_of, started_at)
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (brand, idempotency_key) DO NOTHING`,
    [key.brand, key.idempotencyKey, requestedAsOf ?? null, requestedAsOf ?? now, now],
  )
  return await readRequest(sql, key)
}

async function readRequest(sql: Sql, key: SnapshotKey): Promise<SnapshotRequest> {
  const [row] = await sql.query<SnapshotRow>(
    `SELECT ${columns} FROM snapshots WHERE brand = $1 AND idempotency_key = $2`,
    [key.brand, key.idempotencyKey],
  )
  if (!row) throw new Error('the snapshot was not written down')
  return { requestedAsOf: row.requested_as_of ?? undefined, asOf: row.as_of, snapshot: snapshotOf(row) }
}

/** Makes the rows the brand's newest snapshot, unless another attempt of the same request was faster; gives the one that counts. */
export async function finishSnapshot(
  sql: Sql,
  key: SnapshotKey,
  snapshotId: string,
  scored: ScoredSnapshot,
  now: Date,
): Promise<Snapshot> {
  const { recency, frequency, monetary } = scored.thresholds ?? { recency: [], frequency: [], monetary: [] }
  await sql.query(
    `UPDATE snapshots SET snapshot_id = $3, finished_at = $4, members = $5,
       recency_thresholds = $6, frequency_thresholds = $7, monetary_thresholds = $8
     WHERE brand = $1 AND idempotency_key = $2 AND finished_at IS NULL`,
    [key.brand, key.idempotencyKey, snapshotId, now, scored.members, recency, frequency, monetary],
  )
  const { snapshot } = await readRequest(sql, key)
  if (!snapshot) throw new Error('the snapshot was not finished')
  return snapshot
}

/** The brand's newest complete snapshots, newest first. */
export async function newestSnapshots(sql: Sql, brand: string, count: number): Promise<readonly Snapshot[]> {
  const rows = await sql.query<SnapshotRow>(
    `SELECT ${columns} FROM snapshots WHERE brand = $1 AND finished_at IS NOT NULL
     ORDER BY finished_at DESC, snapshot_id DESC LIMIT $2`,
    [brand, count],
  )
  return rows.flatMap((row) => snapshotOf(row) ?? [])
}

function snapshotOf(row: SnapshotRow): Snapshot | undefined {
  if (row.snapshot_id === null) return undefined
  const recency = asThresholds(row.recency_thresholds)
  const frequency = asThresholds(row.frequency_thresholds)
  const monetary = asThresholds(row.monetary_thresholds)
  return {
    snapshotId: row.snapshot_id,
    asOf: row.as_of,
    members: Number(row.members),
    thresholds: recency && frequency && monetary ? { recency, frequency, monetary } : undefined,
  }
}
