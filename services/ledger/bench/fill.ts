import type { Database } from '@stampede/platform'
import { Months } from '../src/store/months.ts'
import { BRANDS } from './rig.ts'

/** Months before the current one that are filled. */
export const FILLED_MONTHS = 14
/** Receipts of each member, spread over the months. */
export const RECEIPTS_EACH = 20
/** Of so many one earns points; the others are of goods that earn nothing. All of them would not fit on a small disk. */
const EARNING_EVERY = 4
const EARNING_EACH = Math.ceil(RECEIPTS_EACH / EARNING_EVERY)
/** Members of one statement: a few seconds. */
const CHUNK_MEMBERS = 1_000

const functions = `
  CREATE FUNCTION bench_uuid(at timestamptz, seed text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(seed), 1, 3) || '8' ||
      substr(md5(seed), 4, 15))::uuid $$;
  CREATE FUNCTION bench_member(m int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (substr(md5(m::text), 1, 12) || '7' || substr(md5(m::text), 14, 3) || '8' ||
      substr(md5(m::text), 18))::uuid $$;
  CREATE FUNCTION bench_at(first_day date, m int, j int) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT ((first_day + make_interval(months => j * ${FILLED_MONTHS} / ${RECEIPTS_EACH}, days => (m * 7 + j * 3) % 28,
      hours => 12)) AT TIME ZONE 'UTC') $$`

/**
 * Receipts of 20.00 and some cents in cash. Those that earn get 100 points at 5 %, and all but a member's first one are
 * paid by the 100 points of the one before as well: one lot is left. Spending and earning are one posting here, two in
 * the ledger.
 */
const receipts = `
  WITH made AS MATERIALIZED (
    SELECT 'bench-' || m % ${BRANDS} AS brand, bench_member(m) AS member_id, m, j, bench_at($3, m, j) AS at,
      bench_uuid(bench_at($3, m, j), 'receipt ' || m || '-' || j) AS receipt_id,
      date_trunc('month', bench_at($3, m, j) AT TIME ZONE 'UTC')::date AS month, 'f' || m || '-' || j AS number,
      j % ${EARNING_EVERY} = 0 AS is_earning, j > 0 AND j % ${EARNING_EVERY} = 0 AS is_paying,
      bench_uuid(bench_at($3, m, j), 'lot ' || m || '-' || j) AS lot_id,
      bench_uuid(bench_at($3, m, j - ${EARNING_EVERY}), 'lot ' || m || '-' || j - ${EARNING_EVERY}) AS lot_before
    FROM generate_series($1::int, $2::int - 1) m CROSS JOIN generate_series(0, ${RECEIPTS_EACH - 1}) j),
  priced AS (
    SELECT *, CASE WHEN is_earning THEN 100 ELSE 0 END AS earned, CASE WHEN is_paying THEN 100 ELSE 0 END AS paid,
      2000 + m % 20 + CASE WHEN is_paying THEN 100 ELSE 0 END AS amount FROM made),
  receipts AS (
    INSERT INTO receipt (brand, receipt_id, month, member_id, kind, store_id, till_id, business_day, number, occurred_at,
      posted_at, programme_version, point_value_minor, total_minor, refund_minor, points_earned, points_spent, content_hash,
      idempotency_key, lot_id, spend_lots, spend_points, line_indexes, line_quantities, line_amounts, line_paid, line_earned,
      line_discounts, line_returned, line_skus, line_categories)
    SELECT brand, receipt_id, month, member_id, 'sale', 'store-' || m % 50, 'till-' || m % 7, at::date, number, at, at, 1, 1,
      amount, 0, earned, paid, sha256(number::bytea), number, CASE WHEN is_earning THEN lot_id END,
      CASE WHEN is_paying THEN ARRAY[lot_before] ELSE '{}' END, CASE WHEN is_paying THEN ARRAY[100] ELSE '{}' END,
      '{0}', '{1}', ARRAY[amount], ARRAY[paid], ARRAY[earned], '{0}', '{0}', '{sku-0}', '{food}' FROM priced),
  postings AS (
    INSERT INTO posting (brand, member_id, currency, version, transaction_id, kind, cause_id, occurred_at, posted_at, month,
      entry_accounts, entry_amounts, lot_ids, lot_purposes, lot_available, lot_pending, lot_held)
    SELECT brand, member_id, 'points', j / ${EARNING_EVERY} + 1, receipt_id, 'earn', receipt_id, at, at, month,
      CASE WHEN is_paying THEN '{issued,redeemed}' ELSE '{issued,available}' END::ledger_account[], '{-100,100}',
      CASE WHEN is_paying THEN ARRAY[lot_id, lot_before] ELSE ARRAY[lot_id] END,
      CASE WHEN is_paying THEN '{grant,spend}' ELSE '{grant}' END::lot_purpose[],
      CASE WHEN is_paying THEN '{100,-100}' ELSE '{100}' END::bigint[],
      CASE WHEN is_paying THEN '{0,0}' ELSE '{0}' END::bigint[],
      CASE WHEN is_paying THEN '{0,0}' ELSE '{0}' END::bigint[] FROM priced WHERE is_earning),
  answers AS (
    INSERT INTO idempotency (brand, key, body_hash, method, response, cause_id, created_at, month)
    SELECT brand, number, sha256(number::bytea), 'sale', sha256(number::bytea), receipt_id, at, month FROM made),
  lots AS (
    INSERT INTO lot (brand, member_id, currency, lot_id, amount, available, pending, held, earned_at, activates_at, expires_at,
      cause_id, funder, repay_basis_points)
    SELECT brand, member_id, 'points', lot_id, 100,
      CASE WHEN j = ${(EARNING_EACH - 1) * EARNING_EVERY} THEN 100 ELSE 0 END, 0, 0, at, at, at + interval '366 days',
      receipt_id, '', 10000 FROM made WHERE is_earning)
  INSERT INTO account (brand, member_id, currency, available, version, lifetime_earned, known)
  SELECT brand, member_id, 'points', 100, ${EARNING_EACH}, ${EARNING_EACH * 100}, true FROM made WHERE j = 0`

/** Fills the receipts of members `from` up to, not including, `to` into the months before this one; true books. */
export async function fillReceipts(
  database: Database,
  { from, to, now }: { readonly from: number; readonly to: number; readonly now: Date },
): Promise<void> {
  const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - FILLED_MONTHS, 1))
  const firstDay = first.toISOString().slice(0, 10)
  if (from === 0) await prepare(database, first)
  for (let at = from; at < to; at += CHUNK_MEMBERS) {
    await database.transaction(async (tx) => {
      await tx.query('SET LOCAL synchronous_commit = off')
      await tx.query(receipts, [at, Math.min(at + CHUNK_MEMBERS, to), firstDay])
    })
  }
}

async function prepare(database: Database, first: Date): Promise<void> {
  await database.query(functions)
  const months = Array.from({ length: FILLED_MONTHS }, (_, index) => {
    const month = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + index, 1))
    return month.toISOString().slice(0, 10)
  })
  const tables = ['posting', 'receipt', 'idempotency'] as const
  const needed = months.flatMap((month) => tables.map((table) => ({ table, month })))
  await new Months().ensure(database, needed)
}
