import type { Sql } from '@stampede/platform'
import type { Lot } from '../domain/account.ts'
import { columnsOf } from './accounts.ts'
import { instants, numbers, plain } from './columns.ts'
import type { AccountKey } from './keys.ts'

/** A lot and whose it is. */
export interface OwnedLot {
  readonly key: AccountKey
  readonly lot: Lot
}

interface RawLot {
  readonly brand: string
  readonly member_id: string
  readonly lot_id: string
  readonly amount: bigint
  readonly available: bigint
  readonly held: bigint
  readonly earned_at: Date
  readonly expires_at: Date
  readonly receipt_id: string
  readonly origin_lot_id: string | null
}

/** Lots of accounts that still have points. */
export async function readLiveLots(sql: Sql, keys: readonly AccountKey[]): Promise<readonly OwnedLot[]> {
  const rows = await sql.query<RawLot>({
    name: 'ledger-read-live-lots',
    text: `SELECT l.* FROM unnest($1::text[], $2::uuid[]) k (brand, member_id)
      CROSS JOIN LATERAL (SELECT * FROM lot
        WHERE brand = k.brand AND member_id = k.member_id AND (available > 0 OR held > 0) OFFSET 0) l`,
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
    text: `SELECT DISTINCT ON (l.brand, l.member_id, l.lot_id) l.*
      FROM unnest($1::text[], $2::uuid[], $3::uuid[]) k (brand, member_id, lot_id)
      CROSS JOIN LATERAL (SELECT * FROM lot
        WHERE brand = k.brand AND member_id = k.member_id AND lot_id = k.lot_id LIMIT 1) l`,
    values: [...columnsOf(ids), plain(ids.map((id) => id.lotId))],
  })
  return rows.map(fromRow)
}

/** Inserts lots that a flush has made, as they are at its end. */
export async function insertLots(tx: Sql, lots: readonly OwnedLot[]): Promise<void> {
  if (lots.length === 0) return
  await tx.query({
    name: 'ledger-insert-lots',
    text: `INSERT INTO lot (brand, member_id, lot_id, amount, available, held, earned_at, expires_at, receipt_id,
        origin_lot_id)
      SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[],
        $7::timestamptz[], $8::timestamptz[], $9::uuid[], $10::uuid[])`,
    values: [
      ...amountsOf(lots),
      instants(lots.map(({ lot }) => lot.earnedAtMs)),
      instants(lots.map(({ lot }) => lot.expiresAtMs)),
      plain(lots.map(({ lot }) => lot.receiptId)),
      plain(lots.map(({ lot }) => lot.originLotId)),
    ],
  })
}

/** Writes what is left of lots that were there before. */
export async function updateLots(tx: Sql, lots: readonly OwnedLot[]): Promise<void> {
  if (lots.length === 0) return
  await tx.query({
    name: 'ledger-update-lots',
    text: `UPDATE lot l SET amount = n.amount, available = n.available, held = n.held
      FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[])
        n (brand, member_id, lot_id, amount, available, held)
      WHERE l.brand = n.brand AND l.member_id = n.member_id AND l.lot_id = n.lot_id`,
    values: amountsOf(lots),
  })
}

function amountsOf(lots: readonly OwnedLot[]): readonly unknown[] {
  return [
    ...columnsOf(lots.map(({ key }) => key)),
    plain(lots.map(({ lot }) => lot.lotId)),
    numbers(lots.map(({ lot }) => lot.amount)),
    numbers(lots.map(({ lot }) => lot.available)),
    numbers(lots.map(({ lot }) => lot.held)),
  ]
}

function fromRow(row: RawLot): OwnedLot {
  return {
    key: { brand: row.brand, memberId: row.member_id },
    lot: {
      lotId: row.lot_id,
      amount: row.amount,
      available: row.available,
      held: row.held,
      earnedAtMs: row.earned_at.getTime(),
      expiresAtMs: row.expires_at.getTime(),
      receiptId: row.receipt_id,
      originLotId: row.origin_lot_id,
    },
  }
}
