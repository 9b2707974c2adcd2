import type { Sql } from '@stampede/platform'
import type { Brand } from '@stampede/proto/enrollment/v1'

/** A brand with what only enrollment knows of it. */
export interface BrandRow {
  readonly brand: Brand
  /** The brand's secret under the master key. */
  readonly wrappedSecret: Buffer
  /** Digits that its card numbers begin with. */
  readonly cardPrefix: string
}

interface BrandColumns {
  brand: string
  name: string
  time_zone: string
  currency: string
  pass_type_id: string
  team_id: string
  google_issuer_id: string
  weight: number
  max_bulk_per_second: number
  contact: string
  push_type: string
  push_priority: number
  push_expiration_seconds: number
  domain: string
  wrapped_secret: Buffer
  card_prefix: string
}

/** Inserts a brand with its card counter; false if the slug or the pass type id is taken. */
export async function insertBrand(tx: Sql, row: BrandRow, now: Date): Promise<boolean> {
  const { brand } = row
  const inserted = await tx.query<{ brand: string }>(
    `WITH fresh AS (
       INSERT INTO brand (brand, name, time_zone, currency, pass_type_id, team_id, google_issuer_id, weight,
         max_bulk_per_second, contact, push_type, push_priority, push_expiration_seconds, wrapped_secret,
         card_prefix, created_at, domain)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
       ON CONFLICT DO NOTHING
       RETURNING brand)
     INSERT INTO card_counter (brand, next) SELECT brand, 0 FROM fresh RETURNING brand`,
    [
      brand.brand,
      brand.name,
      brand.timeZone,
      brand.currency,
      brand.passTypeId,
      brand.teamId,
      brand.googleIssuerId,
      brand.weight,
      brand.maxBulkPerSecond,
      brand.contact,
      brand.pushType,
      brand.pushPriority,
      brand.pushExpirationSeconds,
      row.wrappedSecret,
      row.cardPrefix,
      now,
      brand.domain,
    ],
  )
  return inserted.length > 0
}

/** Locks a brand for a change; undefined if there is none. */
export async function lockBrand(tx: Sql, brand: string): Promise<BrandRow | undefined> {
  const [row] = await tx.query<BrandColumns>('SELECT * FROM brand WHERE brand = $1 FOR UPDATE', [brand])
  return row === undefined ? undefined : fromColumns(row)
}

/** Writes what may change of a brand. */
export async function changeBrand(tx: Sql, brand: Brand): Promise<void> {
  await tx.query(
    `UPDATE brand SET name = $2, time_zone = $3, google_issuer_id = $4, weight = $5, max_bulk_per_second = $6,
       contact = $7, push_type = $8, push_priority = $9, push_expiration_seconds = $10, domain = $11
     WHERE brand = $1`,
    [
      brand.brand,
      brand.name,
      brand.timeZone,
      brand.googleIssuerId,
      brand.weight,
      brand.maxBulkPerSecond,
      brand.contact,
      brand.pushType,
      brand.pushPriority,
      brand.pushExpirationSeconds,
      brand.domain,
    ],
  )
}

/** Finds a brand by its slug. */
export async function findBrand(sql: Sql, brand: string): Promise<BrandRow | undefined> {
  const [row] = await sql.query<BrandColumns>('SELECT * FROM brand WHERE brand = $1', [brand])
  return row === undefined ? undefined : fromColumns(row)
}

/** Any brand, to try the master key on; undefined if there is none yet. */
export async function findAnyBrand(sql: Sql): Promise<BrandRow | undefined> {
  const [row] = await sql.query<BrandColumns>('SELECT * FROM brand LIMIT 1')
  return row === undefined ? undefined : fromColumns(row)
}

/**
 * Takes `count` numbers of a brand's card counter and returns the first. To be called outside of the enrolment's
 * transaction: its row lock would make all enrolments of a brand wait for each other. Gaps are harmless.
 */
export async function takeCardCounters(sql: Sql, brand: string, count: number): Promise<bigint> {
  const [row] = await sql.query<{ first: bigint }>(
    'UPDATE card_counter SET next = next + $2 WHERE brand = $1 RETURNING next - $2 AS first',
    [brand, count],
  )
  if (row === undefined) throw new Error('a brand without card counter')
  return row.first
}

function fromColumns(row: BrandColumns): BrandRow {
  return {
    brand: {
      brand: row.brand,
      name: row.name,
      timeZone: row.time_zone,
      currency: row.currency,
      passTypeId: row.pass_type_id,
      teamId: row.team_id,
      googleIssuerId: row.google_issuer_id,
      weight: row.weight,
      maxBulkPerSecond: row.max_bulk_per_second,
      contact: row.contact,
      pushType: row.push_type,
      pushPriority: row.push_priority,
      pushExpirationSeconds: row.push_expiration_seconds,
      domain: row.domain,
    },
    wrappedSecret: row.wrapped_secret,
    cardPrefix: row.card_prefix,
  }
}
