import type { Sql } from '@stampede/platform'
import { utcMonth } from '../domain/calendar.ts'
import { instants, plain } from './columns.ts'

/** A stored answer. */
export interface Answer {
  readonly brand: string
  readonly key: string
  /** SHA-256 over the method and the request without its key. */
  readonly bodyHash: Buffer
  /** Encoded response message of the method. */
  readonly response: Uint8Array
}

/** An answer to be stored. */
export interface NewAnswer extends Answer {
  readonly method: string
  /** Receipt, return or hold that the request made; null for none. */
  readonly causeId: string | null
  readonly createdAtMs: number
}

/** Reads answers by brand and key. */
export async function readAnswers(
  sql: Sql,
  keys: readonly { readonly brand: string; readonly key: string }[],
): Promise<readonly Answer[]> {
  const rows = await sql.query<{ brand: string; key: string; body_hash: Buffer; response: Buffer }>({
    name: 'ledger-read-answers',
    text: `SELECT i.brand, i.key, i.body_hash, i.response
      FROM unnest($1::text[], $2::text[]) k (brand, key)
      CROSS JOIN LATERAL (SELECT * FROM idempotency WHERE brand = k.brand AND key = k.key LIMIT 1) i`,
    values: [keys.map((key) => key.brand), keys.map((key) => key.key)],
  })
  return rows.map((row) => ({ brand: row.brand, key: row.key, bodyHash: row.body_hash, response: row.response }))
}

/** Stores answers; a key that is there already fails the transaction. Their month must be there. */
export async function insertAnswers(tx: Sql, answers: readonly NewAnswer[]): Promise<void> {
  if (answers.length === 0) return
  await tx.query({
    name: 'ledger-insert-answers',
    text: `INSERT INTO idempotency (brand, key, body_hash, method, response, cause_id, created_at, month)
      SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::bytea[], $6::uuid[],
        $7::timestamptz[], $8::date[])`,
    values: [
      answers.map((answer) => answer.brand),
      answers.map((answer) => answer.key),
      answers.map((answer) => answer.bodyHash),
      plain(answers.map((answer) => answer.method)),
      answers.map((answer) => Buffer.from(answer.response)),
      plain(answers.map((answer) => answer.causeId)),
      instants(answers.map((answer) => answer.createdAtMs)),
      plain(answers.map((answer) => utcMonth(answer.createdAtMs))),
    ],
  })
}
