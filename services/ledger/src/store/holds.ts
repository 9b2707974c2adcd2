import type { Sql } from '@stampede/platform'
import type { Hold, HoldState } from '../domain/account.ts'
import { columnsOf } from './accounts.ts'
import { instants, numbers, plain } from './columns.ts'
import { drawsOf } from './draws.ts'
import type { AccountKey, BrandId } from './keys.ts'

/** A hold and whose it is. */
export interface OwnedHold {
  readonly key: AccountKey
  readonly hold: Hold
}

interface RawHold {
  readonly brand: string
  readonly member_id: string
  readonly currency: string
  readonly hold_id: string
  readonly reference: string
  readonly points: bigint
  readonly created_at: Date
  readonly expires_at: Date
  readonly state: HoldState
  readonly committed: bigint
  readonly lot_ids: readonly string[]
  readonly lot_points: readonly bigint[]
  readonly is_donation: boolean
}

const columns = `h.brand, h.member_id, h.currency, h.hold_id, h.reference, h.points, h.created_at, h.expires_at, h.state,
  h.committed, h.lot_ids::text[], h.lot_points, h.is_donation`

/** Open holds of accounts. */
export async function readOpenHolds(sql: Sql, keys: readonly AccountKey[]): Promise<readonly OwnedHold[]> {
  const rows = await sql.query<RawHold>({
    name: 'ledger-read-open-holds',
    text: `SELECT ${columns} FROM unnest($1::text[], $2::uuid[], $3::text[]) k (brand, member_id, currency)
      CROSS JOIN LATERAL (SELECT * FROM hold
        WHERE brand = k.brand AND member_id = k.member_id AND currency = k.currency AND state = 'open' OFFSET 0) h`,
    values: columnsOf(keys),
  })
  return rows.map(fromRow)
}

/** Holds by id, in whatever state. */
export async function readHolds(sql: Sql, ids: readonly BrandId[]): Promise<readonly OwnedHold[]> {
  if (ids.length === 0) return []
  const rows = await sql.query<RawHold>({
    name: 'ledger-read-holds',
    text: `SELECT ${columns} FROM unnest($1::text[], $2::uuid[]) k (brand, hold_id)
      CROSS JOIN LATERAL (SELECT * FROM hold WHERE hold_id = k.hold_id AND brand = k.brand LIMIT 1) h`,
    values: [ids.map((id) => id.brand), plain(ids.map((id) => id.id))],
  })
  return rows.map(fromRow)
}

/** The member of a hold; never changes. */
export async function readHoldMember(sql: Sql, brand: string, holdId: string): Promise<string | undefined> {
  const rows = await sql.query<{ member_id: string }>({
    name: 'ledger-read-hold-member',
    text: 'SELECT member_id FROM hold WHERE brand = $1 AND hold_id = $2',
    values: [brand, holdId],
  })
  return rows[0]?.member_id
}

/** Writes holds that were there before, then those that a flush has made: a reference may pass from one to the other. */
export async function writeHolds(tx: Sql, changed: readonly OwnedHold[], created: readonly OwnedHold[]): Promise<void> {
  if (changed.length > 0) await updateHolds(tx, changed)
  if (created.length > 0) await insertHolds(tx, created)
}

async function updateHolds(tx: Sql, holds: readonly OwnedHold[]): Promise<void> {
  await tx.query({
    name: 'ledger-update-holds',
    text: `UPDATE hold h SET state = n.state, committed = n.committed
      FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[]) n (brand, hold_id, state, committed)
      WHERE h.brand = n.brand AND h.hold_id = n.hold_id`,
    values: [
      holds.map(({ key }) => key.brand),
      plain(holds.map(({ hold }) => hold.holdId)),
      plain(holds.map(({ hold }) => hold.state)),
      numbers(holds.map(({ hold }) => hold.committed)),
    ],
  })
}

async function insertHolds(tx: Sql, holds: readonly OwnedHold[]): Promise<void> {
  await tx.query({
    name: 'ledger-insert-holds',
    text: `INSERT INTO hold (brand, member_id, currency, hold_id, reference, points, created_at, expires_at, state,
        committed, lot_ids, lot_points, is_donation)
      SELECT n.brand, n.member_id, n.currency, n.hold_id, n.reference, n.points, n.created_at, n.expires_at, n.state,
        n.committed, n.lot_ids::uuid[], n.lot_points::bigint[], n.is_donation
      FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::bigint[], $7::timestamptz[],
        $8::timestamptz[], $9::text[], $10::bigint[], $11::text[], $12::text[], $13::boolean[])
        n (brand, member_id, currency, hold_id, reference, points, created_at, expires_at, state, committed, lot_ids,
          lot_points, is_donation)`,
    values: [
      ...columnsOf(holds.map(({ key }) => key)),
      plain(holds.map(({ hold }) => hold.holdId)),
      holds.map(({ hold }) => hold.reference),
      numbers(holds.map(({ hold }) => hold.points)),
      instants(holds.map(({ hold }) => hold.createdAtMs)),
      instants(holds.map(({ hold }) => hold.expiresAtMs)),
      plain(holds.map(({ hold }) => hold.state)),
      numbers(holds.map(({ hold }) => hold.committed)),
      holds.map(({ hold }) => plain(hold.draws.map(({ lotId }) => lotId))),
      holds.map(({ hold }) => numbers(hold.draws.map(({ points }) => points))),
      numbers(holds.map(({ hold }) => hold.isDonation)),
    ],
  })
}

function fromRow(row: RawHold): OwnedHold {
  return {
    key: { brand: row.brand, memberId: row.member_id, currency: row.currency },
    hold: {
      holdId: row.hold_id,
      reference: row.reference,
      points: row.points,
      createdAtMs: row.created_at.getTime(),
      expiresAtMs: row.expires_at.getTime(),
      state: row.state,
      committed: row.committed,
      draws: drawsOf(row.lot_ids, row.lot_points),
      isDonation: row.is_donation,
    },
  }
}
