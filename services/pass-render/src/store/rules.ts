import type { Sql } from '@stampede/platform'
import { PutTemplateRulesRequest } from '@stampede/proto/templates/v1'
import type { TemplateRule } from '../domain/rules.ts'

/** Rules of a brand, by version. */
export interface RulesRow {
  readonly version: number
  readonly rules: readonly TemplateRule[]
}

interface Row {
  readonly version: number
  readonly body: Buffer
}

/** The rules in force; version 0 without any. */
export async function findRules(sql: Sql, brand: string): Promise<RulesRow> {
  const rows = await sql.query<Row>({
    name: 'rules-find',
    text: 'SELECT version, body FROM template_rules WHERE brand = $1 ORDER BY version DESC LIMIT 1',
    values: [brand],
  })
  return rulesRow(rows[0]) ?? { version: 0, rules: [] }
}

/** Rules by their idempotency key. */
export async function findRulesByKey(tx: Sql, brand: string, key: string): Promise<RulesRow | undefined> {
  const rows = await tx.query<Row>(
    'SELECT version, body FROM template_rules WHERE brand = $1 AND idempotency_key = $2',
    [brand, key],
  )
  return rulesRow(rows[0])
}

function rulesRow(row: Row | undefined): RulesRow | undefined {
  return row === undefined ? undefined : { version: row.version, rules: PutTemplateRulesRequest.decode(row.body).rules }
}

/** Stores the next version; the brand must be locked. */
export async function insertRules(
  tx: Sql,
  brand: string,
  row: RulesRow & { readonly idempotencyKey: string },
  now: Date,
): Promise<void> {
  const body = PutTemplateRulesRequest.encode(PutTemplateRulesRequest.fromPartial({ rules: [...row.rules] })).finish()
  await tx.query(
    'INSERT INTO template_rules (brand, version, body, idempotency_key, created_at) VALUES ($1, $2, $3, $4, $5)',
    [brand, row.version, Buffer.from(body), row.idempotencyKey, now],
  )
  await tx.query('UPDATE brand_state SET rules_version = $2 WHERE brand = $1', [brand, row.version])
}
