import type { Sql } from '@stampede/platform'
import { Template } from '@stampede/proto/templates/v1'

/** A stored version of a template. */
export interface TemplateRow {
  readonly templateId: string
  readonly version: number
  readonly template: Template
}

interface Row {
  readonly template_id: string
  readonly version: number
  readonly body: Buffer
}

/** A version by its idempotency key. */
export async function findTemplateByKey(tx: Sql, brand: string, key: string): Promise<TemplateRow | undefined> {
  const rows = await tx.query<Row>(
    'SELECT template_id, version, body FROM template WHERE brand = $1 AND idempotency_key = $2',
    [brand, key],
  )
  return templateRow(rows[0])
}

/** One version. */
export async function findTemplate(
  sql: Sql,
  brand: string,
  templateId: string,
  version: number,
): Promise<TemplateRow | undefined> {
  const rows = await sql.query<Row>(
    'SELECT template_id, version, body FROM template WHERE brand = $1 AND template_id = $2 AND version = $3',
    [brand, templateId, version],
  )
  return templateRow(rows[0])
}

function templateRow(row: Row | undefined): TemplateRow | undefined {
  if (row === undefined) return undefined
  return { templateId: row.template_id, version: row.version, template: Template.decode(row.body) }
}

/** What a new version is stored with. */
export interface NewTemplate extends TemplateRow {
  readonly idempotencyKey: string
}

/** Stores a version. */
export async function insertTemplate(tx: Sql, brand: string, row: NewTemplate, now: Date): Promise<void> {
  await tx.query(
    `INSERT INTO template (brand, template_id, version, body, idempotency_key, created_at)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [brand, row.templateId, row.version, Buffer.from(Template.encode(row.template).finish()), row.idempotencyKey, now],
  )
}
