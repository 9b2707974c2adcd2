import type { Sql } from '@stampede/platform'

/** What PublishTemplate was asked for. */
export interface Publishing {
  readonly templateId: string
  readonly version: number
  readonly permille: number
}

/** The request that came with an idempotency key before. */
export async function findPublishing(tx: Sql, brand: string, key: string): Promise<Publishing | undefined> {
  const rows = await tx.query<{ template_id: string; version: number; permille: number }>(
    'SELECT template_id, version, permille FROM template_publication WHERE brand = $1 AND idempotency_key = $2',
    [brand, key],
  )
  const row = rows[0]
  return row === undefined ? undefined : { templateId: row.template_id, version: row.version, permille: row.permille }
}

/** Remembers a request by its key. */
export async function insertPublishing(
  tx: Sql,
  brand: string,
  key: string,
  { templateId, version, permille }: Publishing,
  now: Date,
): Promise<void> {
  await tx.query(
    `INSERT INTO template_publication (brand, idempotency_key, template_id, version, permille, created_at)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [brand, key, templateId, version, permille, now],
  )
}
