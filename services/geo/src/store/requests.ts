import { idempotencyConflict, type Sql } from '@stampede/platform'

/**
 * Remembers a request in the transaction of its effects and forgets those made before `keepAfter`. Returns whether
 * it is new; throws IDEMPOTENCY_CONFLICT if its key had another body.
 */
export async function claimRequest(
  tx: Sql,
  request: { readonly brand: string; readonly idempotencyKey: string; readonly bodyHash: Buffer },
  now: Date,
  keepAfter: Date,
): Promise<boolean> {
  const { brand, idempotencyKey, bodyHash } = request
  await tx.query('DELETE FROM request WHERE brand = $1 AND created_at < $2', [brand, keepAfter])
  const inserted = await tx.query<{ one: number }>(
    `INSERT INTO request (brand, idempotency_key, body_hash, created_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING RETURNING 1 AS one`,
    [brand, idempotencyKey, bodyHash, now],
  )
  if (inserted.length > 0) return true
  const [earlier] = await tx.query<{ body_hash: Buffer }>(
    'SELECT body_hash FROM request WHERE brand = $1 AND idempotency_key = $2',
    [brand, idempotencyKey],
  )
  if (earlier === undefined || !earlier.body_hash.equals(bodyHash)) throw idempotencyConflict()
  return false
}
