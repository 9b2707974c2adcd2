import type { Sql } from '@stampede/platform'
import { Template } from '@stampede/proto/passes/v1'

/** A stored version of a design. */
export interface TemplateRow {
  readonly version: number
  readonly template: Template
}

/** A version by its idempotency key. */
export async function findTemplateByKey(tx: Sql, brand: string, key: string): Promise<TemplateRow | undefined> {
  const rows = await tx.query<{ version: number; body: Buffer }>(
    'SELECT version, body FROM template WHERE brand = $1 AND idempotency_key = $2',
    [brand, key],
  )
  return rows[0] === undefined ? undefined : { version: rows[0].version, template: Template.decode(rows[0].body) }
}

/** One version. */
export async function findTemplate(sql: Sql, brand: string, version: number): Promise<TemplateRow | undefined> {
  const rows = await sql.query<{ body: Buffer }>('SELECT body FROM template WHERE brand = $1 AND version = $2', [
    brand,
    version,
  ])
  return rows[0] === undefined ? undefined : { version, template: Template.decode(rows[0].body) }
}

/** What a new version is stored with. */
export interface NewTemplate {
  readonly version: number
  readonly template: Template
  readonly idempotencyKey: string
}

/** Stores a version. */
export async function insertTemplate(tx: Sql, brand: string, row: NewTemplate, now: Date): Promise<void> {
  await tx.query(
    'INSERT INTO template (brand, version, body, idempotency_key, created_at) VALUES ($1, $2, $3, $4, $5)',
    [brand, row.version, Buffer.from(Template.encode(row.template).finish()), row.idempotencyKey, now],
  )
}
