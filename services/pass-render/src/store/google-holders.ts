import { passesPerRow, type Sql } from '@stampede/platform'

/** How a message reaches Google's holders: class: all of them by one call; objects: those that carry it, one by one. */
export type GoogleMode = 'class' | 'objects'

/** Somebody who has a pass in Google Wallet. */
export interface GoogleHolder {
  readonly serial: string
  /** BCP-47; may be empty. */
  readonly locale: string
  readonly template_id: string
}

/** Holders among the passes that an audience row's bitmap holds, in the order of their numbers. */
export async function googleHolders(
  sql: Sql,
  brand: string,
  base: bigint,
  bitmap: Uint8Array,
): Promise<readonly GoogleHolder[]> {
  return await sql.query<GoogleHolder>({
    name: 'google-holders',
    text: `SELECT serial, locale, template_id FROM pass WHERE brand = $1 AND no >= $2 AND no < $2::bigint + ${passesPerRow}
     AND google_saved AND get_bit($3::bytea, no - $2) = 1 ORDER BY no`,
    values: [brand, base, bitmap],
  })
}

/** Templates of the passes of a brand that somebody has in Google Wallet. */
export async function googleHeldTemplates(sql: Sql, brand: string): Promise<readonly string[]> {
  const rows = await sql.query<{ template_id: string }>(
    'SELECT DISTINCT template_id FROM pass WHERE brand = $1 AND google_saved ORDER BY template_id',
    [brand],
  )
  return rows.map((row) => row.template_id)
}

/** How many passes of a brand somebody has in Google Wallet. */
export async function countGoogleHolders(sql: Sql, brand: string): Promise<number> {
  const rows = await sql.query<{ holders: bigint }>(
    'SELECT count(*) AS holders FROM pass WHERE brand = $1 AND google_saved',
    [brand],
  )
  return Number(rows[0]?.holders ?? 0n)
}

/** How a message reaches Google's holders; undefined before that is decided. */
export async function findGoogleMode(sql: Sql, brand: string, messageId: string): Promise<GoogleMode | undefined> {
  const rows = await sql.query<{ google_mode: GoogleMode | null }>({
    name: 'google-mode',
    text: 'SELECT google_mode FROM message WHERE brand = $1 AND message_id = $2',
    values: [brand, messageId],
  })
  return rows[0]?.google_mode ?? undefined
}

/**
 * Decides it, once for each message: by class only when that is wanted and none of the brand's passes is silent. Whoever
 * makes a pass silent just then waits, or is waited for. The message's row is locked.
 */
export async function decideGoogleMode(
  tx: Sql,
  brand: string,
  messageId: string,
  wantsClass: boolean,
): Promise<GoogleMode> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [lockName(brand)])
  const rows = await tx.query<{ google_mode: GoogleMode }>(
    `UPDATE message SET google_mode = coalesce(google_mode, CASE WHEN $3 AND NOT EXISTS (SELECT FROM pass
       WHERE brand = $1 AND NOT (marketing_consent AND status = 'active' AND lifecycle = 'open')) THEN 'class' ELSE 'objects' END)
     WHERE brand = $1 AND message_id = $2 RETURNING google_mode`,
    [brand, messageId, wantsClass],
  )
  return rows[0]?.google_mode ?? 'objects'
}

/** Called by whoever makes passes silent, before that is seen: a decision for the whole class is then not wrong. */
export async function holdGoogleModes(tx: Sql, brand: string): Promise<void> {
  await tx.query({
    name: 'google-modes-hold',
    text: 'SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))',
    values: [lockName(brand)],
  })
}

function lockName(brand: string): string {
  return `pass-render google mode ${brand}`
}
