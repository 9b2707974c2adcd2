import { passesPerRow, type Sql } from '@stampede/platform'

/** What a brand of the benchmark holds. */
export interface CampaignData {
  readonly brand: string
  /** Rows of 8,192 passes. */
  readonly rows: number
}

/** Passes per hundred without consent, and those with a second device. */
const SILENT_PERCENT = 3
const SECOND_DEVICE_PERCENT = 6
/** Passes per hundred that somebody has in Google Wallet. */
const GOOGLE_PERCENT = 10
/** Rows filled by one statement: it must end within the deadline of statements. */
const ROWS_AT_ONCE = 35

/**
 * Fills a brand with passes, each on a phone of its own. Phones were registered in any order, so neighbouring passes
 * lie apart on the disk as they do in life.
 */
export async function fillBrand(sql: Sql, { brand, rows }: CampaignData): Promise<void> {
  for (let row = 0; row < rows; row += ROWS_AT_ONCE) {
    const values = [brand, row * passesPerRow, Math.min(rows, row + ROWS_AT_ONCE) * passesPerRow - 1]
    await fillPasses(sql, values)
    await fillPhones(sql, values)
  }
  await sql.query('INSERT INTO brand_state (brand, next_no) VALUES ($1, $2)', [brand, rows * passesPerRow])
  await sql.query('VACUUM ANALYZE')
}

async function fillPasses(sql: Sql, values: readonly unknown[]): Promise<void> {
  await sql.query(
    `INSERT INTO pass (brand, owner_id, no, serial, auth_token, version, changed_at, created_at, member_version, status,
       marketing_consent, google_saved, locale, card_number, event_version, devices)
     SELECT $1, gen_random_uuid(), n, gen_random_uuid(), decode(repeat('00', 60), 'hex'), 1, now(), now(), 1, 'active',
       n % 100 >= $4, n / 100 % 100 < $5, 'en-GB', (4000000000000000 + n)::text, 1, 1 FROM generate_series($2::bigint, $3::bigint) AS n`,
    [...values, SILENT_PERCENT, GOOGLE_PERCENT],
  )
}

async function fillPhones(sql: Sql, values: readonly unknown[]): Promise<void> {
  await sql.query(
    `WITH phone AS MATERIALIZED (
       SELECT n, md5(n || '/' || copy) AS id, sha256((n || '/' || copy)::bytea) AS token
       FROM generate_series($2::bigint, $3::bigint) AS n,
         generate_series(1, CASE WHEN n % 100 >= 100 - $4::int THEN 2 ELSE 1 END) AS copy ORDER BY random()),
     d AS (INSERT INTO device (brand, device_library_id, push_token, confirmed_at) SELECT $1, id, token, now() FROM phone)
     INSERT INTO registration (brand, no, device_library_id, registered_at, push_token)
       SELECT $1, n, id, now(), token FROM phone`,
    [...values, SECOND_DEVICE_PERCENT],
  )
}
