import type { Sql } from '@stampede/platform'
import type { Lot } from '../domain/account.ts'
import { columnsOf } from './accounts.ts'
import { instantOf, instants, numbers, plain } from './columns.ts'
import type { AccountKey } from './keys.ts'

/** A lot and whose it is. */
export interface OwnedLot {
  readonly key: AccountKey
  readonly lot: Lot
}

interface RawLot {
  readonly brand: string
  readonly member_id: string
  readonly currency: string
  readonly lot_id: string
  readonly amount: bigint
  readonly available: bigint
  readonly pending: bigint
  readonly held: bigint
  readonly earned_at: Date
  readonly activates_at: Date | null
  readonly expires_at: Date | null
  readonly cause_id: string
  readonly origin_lot_id: string | null
  readonly funder: string
  readonly repay_basis_points: number
}

/** Lots of accounts that still have points. */
export async function readLiveLots(sql: Sql, keys: readonly AccountKey[]): Promise<readonly OwnedLot[]> {
  const rows = await sql.query<RawLot>({
    name: 'ledger-read-live-lots',
    text: `SELECT l.* FROM unnest($1::text[], $2::uuid[], $3::text[]) k (brand, member_id, currency)
      CROSS JOIN LATERAL (SELECT * FROM lot
        WHERE brand = k.brand AND member_id = k.member_id AND currency = k.currency
          AND (available > 0 OR pending > 0 OR held > 0) OFFSET 0) l`,
    values: columnsOf(keys),
  })
  return rows.map(fromRow)
}

/** Lots by id, whatever they have left. */
export async function readLots(
  sql: Sql,
  ids: readonly (AccountKey & { readonly lotId: string })[],
): Promise<readonly OwnedLot[]> {
  if (ids.length === 0) return []
  const rows = await sql.query<RawLot>({
    name: 'ledger-read-lots',
    text: `SELECT DISTINCT ON (l.brand, l.member_id, l.currency, l.lot_id) l.*
      FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[]) k (brand, member_id, currency, lot_id)
      CROSS JOIN LATERAL (SELECT * FROM lot
        WHERE brand = k.brand AND member_id = k.member_id AND currency = k.currency AND lot_id = k.lot_id LIMIT 1) l`,
    values: [...columnsOf(ids), plain(ids.map((id) => id.lotId))],
  })
  return rows.map(fromRow)
}

/** Inserts lots that a flush has made, as they are at its end. */
export async function insertLots(tx: Sql, lots: readonly OwnedLot[]): Promise<void> {
  if (lots.length === 0) return
  await tx.query({
    name: 'ledger-insert-lots',
    text: `INSERT INTO lot (brand, member_id, currency, lot_id, amount, available, pending, held, expires_at, earned_at,
        activates_at, cause_id, origin_lot_id, funder, repay_basis_points)
      SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[],
        $8::bigint[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::uuid[], $13::uuid[], $14::text[],
        $15::integer[])`,
    values: [
      ...changingOf(lots),
      instants(lots.map(({ lot }) => lot.earnedAtMs)),
      instants(lots.map(({ lot }) => lot.activatesAtMs)),
      plain(lots.map(({ lot }) => lot.causeId)),
      plain(lots.map(({ lot }) => lot.originLotId)),
      lots.map(({ lot }) => lot.funder),
      numbers(lots.map(({ lot }) => lot.repayBasisPoints)),
    ],
  })
}

/** Writes what is left of lots that were there before. */
export async function updateLots(tx: Sql, lots: readonly OwnedLot[]): Promise<void> {
  if (lots.length === 0) return
  await tx.query({
    name: 'ledger-update-lots',
    text: `UPDATE lot l SET amount = n.amount, available = n.available, pending = n.pending, held = n.held,
        expires_at = n.expires_at
      FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[],
        $8::bigint[], $9::timestamptz[])
        n (brand, member_id, currency, lot_id, amount, available, pending, held, expires_at)
      WHERE l.brand = n.brand AND l.member_id = n.member_id AND l.currency = n.currency AND l.lot_id = n.lot_id`,
    values: changingOf(lots),
  })
}

function changingOf(lots: readonly OwnedLot[]): readonly unknown[] {
  return [
    ...columnsOf(lots.map(({ key }) => key)),
    plain(lots.map(({ lot }) => lot.lotId)),
    numbers(lots.map(({ lot }) => lot.amount)),
    numbers(lots.map(({ lot }) => lot.available)),
    numbers(lots.map(({ lot }) => lot.pending)),
    numbers(lots.map(({ lot }) => lot.held)),
    instants(lots.map(({ lot }) => lot.expiresAtMs)),
  ]
}

function fromRow(row: RawLot): OwnedLot {
  return {
    key: { brand: row.brand, memberId: row.member_id, currency: row.currency },
    lot: {
      lotId: row.lot_id,
      amount: row.amount,
      available: row.available,
      pending: row.pending,
      held: row.held,
      earnedAtMs: row.earned_at.getTime(),
      activatesAtMs: instantOf(row.activates_at),
      expiresAtMs: instantOf(row.expires_at),
      causeId: row.cause_id,
      originLotId: row.origin_lot_id,
      funder: row.funder,
      repayBasisPoints: BigInt(row.repay_basis_points),
    },
  }
}
