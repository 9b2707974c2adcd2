import type { Sql } from '@stampede/platform'
import type { Publication } from '../domain/publication.ts'

interface Row {
  readonly template_id: string
  readonly newest_version: number
  readonly stable_version: number
  readonly stable_seq: bigint
  readonly canary_version: number
  readonly canary_seq: bigint
  readonly canary_permille: number
}

const columns = 'template_id, newest_version, stable_version, stable_seq, canary_version, canary_seq, canary_permille'

/** Publications of the templates named, or of all the brand's. */
export async function findPublications(
  sql: Sql,
  brand: string,
  templateIds?: readonly string[],
): Promise<readonly Publication[]> {
  const rows = await sql.query<Row>({
    name: 'publications-find',
    text: `SELECT ${columns} FROM template_state WHERE brand = $1 AND ($2::text[] IS NULL OR template_id = ANY($2))
     ORDER BY template_id`,
    values: [brand, templateIds ?? null],
  })
  return rows.map(publication)
}

/** Publications after a template's id, in the order of ids. */
export async function listPublications(
  sql: Sql,
  brand: string,
  after: string,
  limit: number,
): Promise<readonly Publication[]> {
  const rows = await sql.query<Row>(
    `SELECT ${columns} FROM template_state WHERE brand = $1 AND template_id > $2 ORDER BY template_id LIMIT $3`,
    [brand, after, limit],
  )
  return rows.map(publication)
}

/** How many passes have each of the templates. */
export async function countPasses(
  sql: Sql,
  brand: string,
  templateIds: readonly string[],
): Promise<ReadonlyMap<string, bigint>> {
  const rows = await sql.query<{ template_id: string; count: bigint }>(
    `SELECT template_id, count(*) AS count FROM pass WHERE brand = $1 AND template_id = ANY($2::text[])
     GROUP BY template_id`,
    [brand, templateIds],
  )
  return new Map(rows.map((row) => [row.template_id, row.count]))
}

function publication(row: Row): Publication {
  return {
    templateId: row.template_id,
    newestVersion: row.newest_version,
    stableVersion: row.stable_version,
    stableSeq: row.stable_seq,
    canaryVersion: row.canary_version,
    canarySeq: row.canary_seq,
    canaryPermille: row.canary_permille,
  }
}

/** Stores a template's publication; the brand must be locked. */
export async function savePublication(tx: Sql, brand: string, item: Publication, now: Date): Promise<void> {
  await tx.query(
    `INSERT INTO template_state (brand, ${columns}, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (brand, template_id) DO UPDATE SET newest_version = $3, stable_version = $4, stable_seq = $5,
       canary_version = $6, canary_seq = $7, canary_permille = $8, changed_at = $9`,
    [
      brand,
      item.templateId,
      item.newestVersion,
      item.stableVersion,
      item.stableSeq,
      item.canaryVersion,
      item.canarySeq,
      item.canaryPermille,
      now,
    ],
  )
}

/** Gives all cards of a brand a new seq: something that they share has changed, but for their templates. */
export async function raisePublications(tx: Sql, brand: string, seq: bigint, now: Date): Promise<void> {
  await tx.query('UPDATE template_state SET stable_seq = $2, canary_seq = $2, changed_at = $3 WHERE brand = $1', [
    brand,
    seq,
    now,
  ])
}
