import type { Sql } from '@stampede/platform'

/** What all cards of a brand share. */
export interface BrandStateRow {
  readonly brand: string
  /** The newest seq of any template's publication. */
  readonly design_version: bigint
  /** Digest of what cards show of the brand itself. */
  readonly brand_digest: string
  /** The newest message's. */
  readonly message_seq: bigint
  readonly rules_version: number
}

const columns = 'brand, design_version, brand_digest, message_seq, rules_version'

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
export async function lockBrandState(tx: Sql, brand: string): Promise<BrandStateRow> {
  const rows = await tx.query<BrandStateRow>(
    `INSERT INTO brand_state AS b (brand) VALUES ($1)
     ON CONFLICT (brand) DO UPDATE SET brand = b.brand RETURNING ${columns}`,
    [brand],
  )
  const row = rows[0]
  if (row === undefined) throw new Error('an upsert returns its row')
  return row
}

/** Takes `count` consecutive pass numbers; the row stays locked, so numbers of a rolled back batch are not lost. */
export async function takeNumbers(tx: Sql, brand: string, count: number): Promise<bigint> {
  const rows = await tx.query<{ first: bigint }>({
    name: 'brand-state-take-numbers',
    text: `INSERT INTO brand_state AS b (brand, next_no) VALUES ($1, $2)
     ON CONFLICT (brand) DO UPDATE SET next_no = b.next_no + $2 RETURNING next_no - $2 AS first`,
    values: [brand, count],
  })
  const row = rows[0]
  if (row === undefined) throw new Error('an upsert returns its row')
  return row.first
}

/** The next seq of a publication; the brand must be locked. */
export async function nextDesignSeq(tx: Sql, brand: string): Promise<bigint> {
  const rows = await tx.query<{ design_version: bigint }>(
    'UPDATE brand_state SET design_version = design_version + 1 WHERE brand = $1 RETURNING design_version',
    [brand],
  )
  const seq = rows[0]?.design_version
  if (seq === undefined) throw new Error('the brand was locked before')
  return seq
}

/** Remembers what cards show of the brand itself. */
export async function setBrandDigest(tx: Sql, brand: string, digest: string): Promise<void> {
  await tx.query('UPDATE brand_state SET brand_digest = $2 WHERE brand = $1', [brand, digest])
}
