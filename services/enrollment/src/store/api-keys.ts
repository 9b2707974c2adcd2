import type { Sql } from '@stampede/platform'

/** An API key as stored: never its secret. */
export interface ApiKeyRow {
  /** UUIDv7. */
  readonly keyId: string
  readonly brand: string
  readonly role: string
  /** What it is for. */
  readonly label: string
  /** SHA-256 of the secret, 64 hexadecimal digits. */
  readonly sha256: string
}

/** Inserts an API key. */
export async function insertApiKey(tx: Sql, row: ApiKeyRow, now: Date): Promise<void> {
  await tx.query(
    `INSERT INTO api_key (key_id, brand, role, label, key_sha256, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
    [row.keyId, row.brand, row.role, row.label, row.sha256, now],
  )
}

/** Marks a key as revoked, once; returns its SHA-256, or undefined if the brand has no such key. */
export async function revokeApiKey(tx: Sql, brand: string, keyId: string, now: Date): Promise<string | undefined> {
  const [row] = await tx.query<{ key_sha256: string }>(
    `UPDATE api_key SET revoked_at = coalesce(revoked_at, $3) WHERE brand = $1 AND key_id = $2 RETURNING key_sha256`,
    [brand, keyId, now],
  )
  return row?.key_sha256
}
