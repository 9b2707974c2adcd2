import type { Sql } from '@stampede/platform'

/** Old nonces that are forgotten with each new one, at most. */
const MAX_FORGOTTEN = 100

/** Remembers a callback by its nonce; false when it was taken before. Forgets some that can no longer come. */
export async function takeNonce(tx: Sql, nonce: Buffer, expiresAt: Date, now: Date): Promise<boolean> {
  await tx.query({
    name: 'google-callback-forget',
    text: `DELETE FROM google_callback WHERE nonce IN (
       SELECT nonce FROM google_callback WHERE expires_at < $1 LIMIT ${MAX_FORGOTTEN} FOR UPDATE SKIP LOCKED)`,
    values: [now],
  })
  const rows = await tx.query({
    name: 'google-callback-take',
    text: 'INSERT INTO google_callback (nonce, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1',
    values: [nonce, expiresAt],
  })
  return rows.length > 0
}

/** What a callback told of a pass. */
export interface HolderChange {
  readonly no: bigint
  /** false: it was known already. */
  readonly is_changed: boolean
}

/** Stores whether a pass is in somebody's Google Wallet; undefined when there is no such pass. */
export async function saveHolder(
  tx: Sql,
  brand: string,
  serial: string,
  isSaved: boolean,
  now: Date,
): Promise<HolderChange | undefined> {
  const rows = await tx.query<HolderChange>(
    `UPDATE pass SET google_saved = $3, google_saved_at = CASE WHEN $3 THEN $4 ELSE google_saved_at END
     WHERE brand = $1 AND serial = $2 RETURNING no, old.google_saved <> new.google_saved AS is_changed`,
    [brand, serial, isSaved, now],
  )
  return rows[0]
}
