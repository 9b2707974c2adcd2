import type { Database } from '@stampede/platform'

/** A stream as one ClickHouse store takes it. */
export interface SourceKey {
  /** Identity of the ClickHouse store. */
  readonly sink: string
  /** Stream and when it was made: a stream made anew counts its sequences from 1 again. */
  readonly source: string
}

/** A range that is fixed but perhaps not stored yet. */
export interface PendingRange {
  readonly first: number
  readonly last: number
  /** Sequences inside it that are left out, because they repeat an event taken before. */
  readonly skipped: readonly number[]
}

/** Where a source stands. */
export interface Position {
  /** Last sequence whose rows are stored. */
  readonly doneThrough: number
  readonly pending: PendingRange | undefined
}

interface RangeRow {
  readonly done_through: bigint
  readonly pending_first: bigint | null
  readonly pending_last: bigint | null
  readonly pending_skipped: readonly bigint[]
}

/** Thrown when another process has taken the source over. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
}

/** Milliseconds after the last sign of life until another process may take a source over. */
export const leaseMs = 5_000

/**
 * Takes the source if nobody holds it, and says where it stands; undefined while somebody does. Two holders at once
 * could do no harm: only one can fix and close ranges, and a range sent twice is stored once. With `force` it is taken
 * from whoever holds it: for a store that no other process can have open.
 */
export async function takeLease(
  database: Database,
  key: SourceKey,
  owner: string,
  force: boolean,
): Promise<Position | undefined> {
  await database.query('INSERT INTO ingest_ranges (sink, source) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    key.sink,
    key.source,
  ])
  const [row] = await database.query<RangeRow>(
    `UPDATE ingest_ranges SET owner = $3, lease_until = clock_timestamp() + $4 * interval '1 millisecond'
     WHERE sink = $1 AND source = $2 AND ($5 OR owner = $3 OR lease_until < clock_timestamp())
     RETURNING done_through, pending_first, pending_last, pending_skipped`,
    [key.sink, key.source, owner, leaseMs, force],
  )
  return row && positionOf(row)
}

function positionOf(row: RangeRow): Position {
  const { pending_first, pending_last } = row
  const pending =
    pending_first === null || pending_last === null
      ? undefined
      : { first: Number(pending_first), last: Number(pending_last), skipped: row.pending_skipped.map(Number) }
  return { doneThrough: Number(row.done_through), pending }
}

/** Keeps the source; throws LeaseLost when it is held by another. */
export async function renewLease(database: Database, key: SourceKey, owner: string): Promise<void> {
  await changeOwn(database, key, owner, '', [])
}

/** Fixes the next range before its rows are sent; throws LeaseLost when the source is held by another. */
export async function fixRange(database: Database, key: SourceKey, owner: string, range: PendingRange): Promise<void> {
  await changeOwn(database, key, owner, ', pending_first = $5, pending_last = $6, pending_skipped = $7', [
    range.first,
    range.last,
    range.skipped,
  ])
}

/** Closes the fixed range: its rows are stored. */
export async function closeRange(database: Database, key: SourceKey, owner: string, last: number): Promise<void> {
  const assignments = ", done_through = $5, pending_first = NULL, pending_last = NULL, pending_skipped = '{}'"
  await changeOwn(database, key, owner, assignments, [last])
}

/** Gives the source back, so that the next process need not wait for the lease to end. */
export async function releaseLease(database: Database, key: SourceKey, owner: string): Promise<void> {
  await database.query(
    "UPDATE ingest_ranges SET owner = '', lease_until = '-infinity' WHERE sink = $1 AND source = $2 AND owner = $3",
    [key.sink, key.source, owner],
  )
}

async function changeOwn(
  database: Database,
  key: SourceKey,
  owner: string,
  assignments: string,
  values: readonly unknown[],
): Promise<void> {
  const changed = await database.query<{ source: string }>(
    `UPDATE ingest_ranges SET lease_until = clock_timestamp() + $4 * interval '1 millisecond'${assignments}
     WHERE sink = $1 AND source = $2 AND owner = $3 RETURNING source`,
    [key.sink, key.source, owner, leaseMs, ...values],
  )
  if (changed.length === 0) throw new LeaseLost(`${key.source} is held by another process`)
}
