import { idempotencyConflict, type Sql } from '@stampede/platform'

/** A writing request, as remembered. */
export interface RequestRow {
  /** Brand, or empty above brands. */
  readonly scope: string
  /** Name of the kind of request; keys of different kinds do not meet. */
  readonly operation: string
  readonly idempotencyKey: string
  readonly bodyHash: Buffer
  /** What the request made. */
  readonly resultId: string
  readonly createdAt: Date
}

/** Whether a request is new, or what its first run made. */
export type RequestClaim = { readonly fresh: true } | { readonly fresh: false; readonly resultId: string }

/** Remembers a request in the transaction of its effects. Throws IDEMPOTENCY_CONFLICT if its key had another body. */
export async function claimRequest(tx: Sql, row: RequestRow): Promise<RequestClaim> {
  const inserted = await tx.query<{ fresh: boolean }>(
    `INSERT INTO request (scope, operation, idempotency_key, body_hash, result_id, created_at)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT DO NOTHING
     RETURNING true AS fresh`,
    [row.scope, row.operation, row.idempotencyKey, row.bodyHash, row.resultId, row.createdAt],
  )
  if (inserted.length > 0) return { fresh: true }
  const [earlier] = await tx.query<{ body_hash: Buffer; result_id: string }>(
    'SELECT body_hash, result_id FROM request WHERE scope = $1 AND operation = $2 AND idempotency_key = $3',
    [row.scope, row.operation, row.idempotencyKey],
  )
  if (earlier === undefined || !earlier.body_hash.equals(row.bodyHash)) throw idempotencyConflict()
  return { fresh: false, resultId: earlier.result_id }
}

/** Forgets up to `limit` requests made before an instant; returns how many. */
export async function forgetRequests(sql: Sql, before: Date, limit: number): Promise<number> {
  const gone = await sql.query<{ scope: string }>(
    `DELETE FROM request WHERE (scope, operation, idempotency_key) IN (
       SELECT scope, operation, idempotency_key FROM request WHERE created_at < $1 ORDER BY created_at LIMIT $2)
     RETURNING scope`,
    [before, limit],
  )
  return gone.length
}
