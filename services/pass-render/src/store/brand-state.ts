import type { Sql } from '@stampede/platform'

/** Versions of what all cards of a brand share. */
export interface BrandStateRow {
  readonly brand: string
  readonly template_version: number
  readonly design_version: bigint
  readonly design_changed_at: Date
  readonly brand_digest: string
}

const columns = 'brand, template_version, design_version, design_changed_at, brand_digest'

/** The brand's row, undefined before its first pass or template. */
export async function findBrandState(sql: Sql, brand: string): Promise<BrandStateRow | undefined> {
  const rows = await sql.query<BrandStateRow>({
    name: 'brand-state-find',
    text: `SELECT ${columns} FROM brand_state WHERE brand = $1`,
    values: [brand],
  })
  return rows[0]
}

/** The brand's row, made when missing and locked until the end of the transaction. */
export async function lockBrandState(tx: Sql, brand: string, now: Date): Promise<BrandStateRow> {
  const rows = await tx.query<BrandStateRow>(
    `INSERT INTO brand_state AS b (brand, design_changed_at) VALUES ($1, $2)
     ON CONFLICT (brand) DO UPDATE SET brand = b.brand RETURNING ${columns}`,
    [brand, now],
  )
  const row = rows[0]
  if (row === undefined) throw new Error('an upsert returns its row')
  return row
}

/** Takes `count` consecutive pass numbers; the row stays locked, so numbers of a rolled back batch are not lost. */
export async function takeNumbers(tx: Sql, brand: string, count: number, now: Date): Promise<bigint> {
  const rows = await tx.query<{ first: bigint }>({
    name: 'brand-state-take-numbers',
    text: `INSERT INTO brand_state AS b (brand, next_no, design_changed_at) VALUES ($1, $2, $3)
     ON CONFLICT (brand) DO UPDATE SET next_no = b.next_no + $2 RETURNING next_no - $2 AS first`,
    values: [brand, count, now],
  })
  const row = rows[0]
  if (row === undefined) throw new Error('an upsert returns its row')
  return row.first
}

/** What a new design version changes. */
export interface DesignChange {
  readonly templateVersion: number
  readonly brandDigest: string
  /** Whether Google's objects look different too, so that each must be written anew. */
  readonly googleObjects: boolean
}

/** Raises the design version of a locked brand and starts its way to the devices. */
export async function raiseDesign(tx: Sql, brand: string, change: DesignChange, now: Date): Promise<bigint> {
  const rows = await tx.query<{ design_version: bigint }>(
    `UPDATE brand_state SET template_version = $2, brand_digest = $3, design_version = design_version + 1,
       design_changed_at = $4 WHERE brand = $1 RETURNING design_version`,
    [brand, change.templateVersion, change.brandDigest, now],
  )
  const version = rows[0]?.design_version
  if (version === undefined) throw new Error('the brand was locked before')
  await tx.query(
    `INSERT INTO rollout AS r (brand, design_version, next_google_no) VALUES ($1, $2, $3)
     ON CONFLICT (brand) DO UPDATE SET design_version = $2, after_device = '', parts = 0, devices_done = false,
       next_google_no = coalesce($3, r.next_google_no)`,
    [brand, version, change.googleObjects ? 0n : null],
  )
  return version
}

/** Remembers the brand's digest without a new version: nothing is installed that could show another one. */
export async function setBrandDigest(tx: Sql, brand: string, digest: string): Promise<void> {
  await tx.query('UPDATE brand_state SET brand_digest = $2 WHERE brand = $1', [brand, digest])
}
