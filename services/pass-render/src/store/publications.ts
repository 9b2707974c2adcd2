import type { Sql } from '@stampede/platform'
import { canaryBucket } from './passes.ts'

/** What the cards of a template show. */
export interface Publication {
  readonly templateId: string
  readonly newestVersion: number
  /** 0 before the first. */
  readonly stableVersion: number
  readonly stableSeq: bigint
  /** 0 without a canary. */
  readonly canaryVersion: number
  readonly canarySeq: bigint
  /** Share of the cards that show the canary, in thousandths. */
  readonly canaryPermille: number
}

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

/** Version and seq that a pass shows of its template; the same as shownDesign computes in SQL. */
export function shownBy(
  no: bigint,
  publication: Publication | undefined,
): { readonly version: number; readonly seq: bigint } {
  if (publication === undefined) return { version: 0, seq: 0n }
  const { canaryPermille, canaryVersion, canarySeq, stableVersion, stableSeq } = publication
  return canaryBucket(no) < canaryPermille
    ? { version: canaryVersion, seq: canarySeq }
    : { version: stableVersion, seq: stableSeq }
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
