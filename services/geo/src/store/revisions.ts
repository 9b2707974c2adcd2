import type { Sql } from '@stampede/platform'

/** A brand whose stores changed since its lists were planned. */
export interface UnplannedBrand {
  readonly brand: string
  readonly revision: bigint
}

/** Revision of a brand's stores; 0 before the first. */
export async function readRevision(sql: Sql, brand: string): Promise<bigint> {
  const [row] = await sql.query<{ revision: bigint }>('SELECT revision FROM store_revision WHERE brand = $1', [brand])
  return row?.revision ?? 0n
}

/** Keeps a brand's stores from changing until the transaction ends; returns their revision. */
export async function holdRevision(tx: Sql, brand: string): Promise<bigint> {
  await tx.query({
    name: 'geo-revision-ensure',
    text: 'INSERT INTO store_revision (brand) VALUES ($1) ON CONFLICT DO NOTHING',
    values: [brand],
  })
  const [row] = await tx.query<{ revision: bigint }>({
    name: 'geo-revision-hold',
    text: 'SELECT revision FROM store_revision WHERE brand = $1 FOR SHARE',
    values: [brand],
  })
  if (row === undefined) throw new Error('a brand without revision of its stores')
  return row.revision
}

/** Begins a change of a brand's stores: waits for all who hold the revision. */
export async function raiseRevision(tx: Sql, brand: string): Promise<void> {
  await tx.query(
    `INSERT INTO store_revision (brand, revision) VALUES ($1, 1)
     ON CONFLICT (brand) DO UPDATE SET revision = store_revision.revision + 1`,
    [brand],
  )
}

/** Brands whose lists are not planned yet, at most `limit`. */
export async function findUnplanned(sql: Sql, limit: number): Promise<readonly UnplannedBrand[]> {
  return sql.query<{ brand: string; revision: bigint }>(
    'SELECT brand, revision FROM store_revision WHERE planned < revision ORDER BY brand LIMIT $1',
    [limit],
  )
}

/**
 * Notes that a brand's lists are planned up to a revision, and keeps other planners waiting until the transaction
 * ends; false if a planner with stores as new or newer was faster.
 */
export async function markPlanned(tx: Sql, brand: string, revision: bigint): Promise<boolean> {
  const rows = await tx.query<{ one: number }>(
    'UPDATE store_revision SET planned = $2 WHERE brand = $1 AND planned < $2 RETURNING 1 AS one',
    [brand, revision],
  )
  return rows.length > 0
}
