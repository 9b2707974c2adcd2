import type { Database, Sql } from '@stampede/platform'
import type { BrandId } from './keys.ts'
import type { NaturalKey } from './receipts.ts'

/** A return that came before its sale. */
export interface ParkedReturn {
  readonly brand: string
  readonly returnId: string
  readonly parkedId: string
  /** stampede.ledger.v1.ReturnReceiptRequest. */
  readonly request: Uint8Array
  /** SHA-256 over the method and the request without its key. */
  readonly contentHash: Buffer
  readonly sale: Pick<NaturalKey, 'storeId' | 'tillId' | 'number' | 'businessDay'>
  readonly parkedAt: Date
  readonly parkedUntil: Date
}

/** What the error of a refused return says. */
export interface ParkedError {
  readonly code: string
  readonly field: string
  readonly message: string
}

/** A return that waits, or that could not be posted. */
export interface ListedReturn extends ParkedReturn {
  readonly state: 'parked' | 'refused' | 'timed_out'
  /** Empty but for a refused one. */
  readonly error: ParkedError
}

/** What became of a parked return. */
export interface ParkedResult extends BrandId {
  /** Undefined: it is posted. */
  readonly error: ParkedError | undefined
}

interface RawParked {
  readonly brand: string
  readonly return_id: string
  readonly parked_id: string
  readonly request: Buffer
  readonly content_hash: Buffer
  readonly store_id: string
  readonly till_id: string
  readonly number: string
  readonly business_day: string
  readonly state: 'parked' | 'refused' | 'timed_out'
  readonly parked_at: Date
  readonly parked_until: Date
  readonly error_code: string
  readonly error_field: string
  readonly error_message: string
}

const COLUMNS = `p.brand, p.return_id, p.parked_id, p.request, p.content_hash, p.store_id, p.till_id, p.number,
  p.business_day::text, p.state, p.parked_at, p.parked_until, p.error_code, p.error_field, p.error_message`

/** Parks a return; answers the one that has this return_id now: another one of before, unless its time ran out. */
export async function parkReturn(tx: Sql, parked: ParkedReturn): Promise<ParkedReturn> {
  const { brand, returnId, sale } = parked
  await tx.query({
    name: 'ledger-park-return',
    text: `INSERT INTO parked_return AS p (brand, return_id, parked_id, request, content_hash, store_id, till_id, number,
        business_day, state, parked_at, parked_until)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'parked', $10, $11)
      ON CONFLICT (return_id, brand) DO UPDATE SET parked_id = excluded.parked_id, request = excluded.request,
        content_hash = excluded.content_hash, store_id = excluded.store_id, till_id = excluded.till_id,
        number = excluded.number, business_day = excluded.business_day, state = 'parked', resolved_at = NULL,
        parked_at = excluded.parked_at, parked_until = excluded.parked_until
      WHERE p.state = 'timed_out'`,
    values: [
      brand,
      returnId,
      parked.parkedId,
      Buffer.from(parked.request),
      parked.contentHash,
      sale.storeId,
      sale.tillId,
      sale.number,
      sale.businessDay,
      parked.parkedAt,
      parked.parkedUntil,
    ],
  })
  const [row] = await tx.query<RawParked>({
    name: 'ledger-read-parked-return',
    text: `SELECT ${COLUMNS} FROM parked_return p WHERE return_id = $2 AND brand = $1`,
    values: [brand, returnId],
  })
  return row === undefined ? parked : parkedFromRow(row)
}

/** Returns that wait and whose sales are there by now, oldest first. */
export async function readArrived(sql: Sql, limit: number): Promise<readonly ParkedReturn[]> {
  const rows = await sql.query<RawParked>({
    name: 'ledger-read-arrived-returns',
    text: `SELECT ${COLUMNS} FROM parked_return p
      WHERE state = 'parked' AND EXISTS (SELECT FROM receipt r
        WHERE r.brand = p.brand AND r.store_id = p.store_id AND r.till_id = p.till_id
          AND r.business_day = p.business_day AND r.number = p.number AND r.kind = 'sale'
          AND r.month = date_trunc('month', p.business_day)::date)
      ORDER BY p.parked_id LIMIT $1`,
    values: [limit],
  })
  return rows.map(parkedFromRow)
}

/** Notes what became of parked returns. */
export async function resolveParked(sql: Sql, results: readonly ParkedResult[], now: Date): Promise<void> {
  if (results.length === 0) return
  await sql.query({
    name: 'ledger-resolve-parked-returns',
    text: `UPDATE parked_return p SET resolved_at = $6, error_code = n.code, error_field = n.field,
        error_message = n.message, state = CASE WHEN n.code = '' THEN 'posted' ELSE 'refused' END
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) n (brand, return_id, code, field, message)
      WHERE p.return_id = n.return_id AND p.brand = n.brand AND p.state = 'parked'`,
    values: [
      results.map(({ brand }) => brand),
      results.map(({ id }) => id),
      results.map(({ error }) => error?.code ?? ''),
      results.map(({ error }) => error?.field ?? ''),
      results.map(({ error }) => error?.message ?? ''),
      now,
    ],
  })
}

/** Gives up returns whose sales did not come in time, and forgets those that were resolved before `forgetBefore`. */
export async function endParked(database: Database, now: Date, forgetBefore: Date): Promise<void> {
  await database.query(
    `UPDATE parked_return SET state = 'timed_out', resolved_at = $1 WHERE state = 'parked' AND parked_until <= $1`,
    [now],
  )
  await database.query('DELETE FROM parked_return WHERE resolved_at < $1', [forgetBefore])
}

/** Parked returns of a brand that are not posted, oldest first, after one of a page before. */
export async function readListed(
  sql: Sql,
  brand: string,
  afterId: string | null,
  limit: number,
): Promise<readonly ListedReturn[]> {
  const rows = await sql.query<RawParked>({
    name: 'ledger-list-parked-returns',
    text: `SELECT ${COLUMNS} FROM parked_return p
      WHERE brand = $1 AND state <> 'posted' AND ($2::uuid IS NULL OR parked_id > $2) ORDER BY parked_id LIMIT $3`,
    values: [brand, afterId, limit],
  })
  return rows.map((row) => ({
    ...parkedFromRow(row),
    state: row.state,
    error: { code: row.error_code, field: row.error_field, message: row.error_message },
  }))
}

function parkedFromRow(row: RawParked): ParkedReturn {
  const { store_id: storeId, till_id: tillId, number, business_day: businessDay } = row
  return {
    brand: row.brand,
    returnId: row.return_id,
    parkedId: row.parked_id,
    request: row.request,
    contentHash: row.content_hash,
    sale: { storeId, tillId, number, businessDay },
    parkedAt: row.parked_at,
    parkedUntil: row.parked_until,
  }
}
