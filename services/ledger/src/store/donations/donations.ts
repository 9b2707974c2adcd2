import type { Sql } from '@stampede/platform'
import type { DonatedMoney } from '../../domain/donations/donation.ts'
import { instants, numbers, plain } from '../columns.ts'

/** A donation; its id is that of its hold. */
export interface StoredDonation extends DonatedMoney {
  readonly brand: string
  readonly donationId: string
  readonly memberId: string
  readonly fundId: string
  /** Of the donation programme. */
  readonly version: number
  readonly points: bigint
  readonly donatedAtMs: number
  readonly undoUntilMs: number
}

interface RawDonation {
  readonly brand: string
  readonly donation_id: string
  readonly member_id: string
  readonly fund_id: string
  readonly version: number
  readonly points: bigint
  readonly money_minor: bigint
  readonly match_minor: bigint
  readonly donated_at: Date
  readonly undo_until: Date
  readonly hold_state: 'open' | 'committed' | 'cancelled'
}

/** Stores new donations; their holds are written with them. */
export async function insertDonations(tx: Sql, donations: readonly StoredDonation[]): Promise<void> {
  if (donations.length === 0) return
  await tx.query({
    name: 'ledger-insert-donations',
    text: `INSERT INTO donation (brand, donation_id, member_id, fund_id, version, points, money_minor, match_minor,
        donated_at, undo_until, state)
      SELECT n.*, 'open' FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::integer[], $6::bigint[],
        $7::bigint[], $8::bigint[], $9::timestamptz[], $10::timestamptz[]) n`,
    values: [
      donations.map(({ brand }) => brand),
      plain(donations.map(({ donationId }) => donationId)),
      plain(donations.map(({ memberId }) => memberId)),
      donations.map(({ fundId }) => fundId),
      numbers(donations.map(({ version }) => version)),
      numbers(donations.map(({ points }) => points)),
      numbers(donations.map(({ moneyMinor }) => moneyMinor)),
      numbers(donations.map(({ matchMinor }) => matchMinor)),
      instants(donations.map(({ donatedAtMs }) => donatedAtMs)),
      instants(donations.map(({ undoUntilMs }) => undoUntilMs)),
    ],
  })
}

/** The member of a donation; undefined for one that is not there. */
export async function readDonor(sql: Sql, brand: string, donationId: string): Promise<string | undefined> {
  const [row] = await sql.query<{ member_id: string }>({
    name: 'ledger-read-donor',
    text: 'SELECT member_id FROM donation WHERE donation_id = $2 AND brand = $1',
    values: [brand, donationId],
  })
  return row?.member_id
}

/** What became of a donation in the books of points. */
export type DonationState = 'open' | 'donated' | 'undone'

/** Donations of a member, newest first, from behind `beforeId`. */
export async function readDonations(
  sql: Sql,
  brand: string,
  {
    memberId,
    beforeId,
    limit,
  }: { readonly memberId: string; readonly beforeId: string | null; readonly limit: number },
): Promise<readonly (StoredDonation & { readonly state: DonationState })[]> {
  const rows = await sql.query<RawDonation>({
    name: 'ledger-read-donations',
    text: `SELECT d.*, h.state AS hold_state FROM donation d
      JOIN hold h ON h.hold_id = d.donation_id AND h.brand = d.brand
      WHERE d.member_id = $2 AND d.brand = $1 AND ($3::uuid IS NULL OR d.donation_id < $3)
      ORDER BY d.donation_id DESC LIMIT $4`,
    values: [brand, memberId, beforeId, limit],
  })
  return rows.map((row) => ({ ...fromRow(row), state: stateOf(row) }))
}

/** Donations that are final or undone in the books of points but not in those of money, locked; others' are left out. */
export async function lockResolvedDonations(
  tx: Sql,
  now: Date,
  limit: number,
): Promise<readonly (StoredDonation & { readonly state: DonationState })[]> {
  const rows = await tx.query<RawDonation>({
    name: 'ledger-lock-resolved-donations',
    text: `SELECT d.*, h.state AS hold_state FROM donation d
      JOIN hold h ON h.hold_id = d.donation_id AND h.brand = d.brand
      WHERE d.state = 'open' AND d.undo_until <= $1 AND h.state <> 'open'
      ORDER BY d.undo_until LIMIT $2 FOR UPDATE OF d SKIP LOCKED`,
    values: [now, limit],
  })
  return rows.map((row) => ({ ...fromRow(row), state: stateOf(row) }))
}

/** Notes that what became of locked donations is booked. */
export async function writeResolved(
  tx: Sql,
  donations: readonly { readonly brand: string; readonly donationId: string; readonly state: DonationState }[],
): Promise<void> {
  await tx.query({
    name: 'ledger-write-resolved-donations',
    text: `UPDATE donation d SET state = n.state
      FROM unnest($1::text[], $2::uuid[], $3::text[]) n (brand, donation_id, state)
      WHERE d.donation_id = n.donation_id AND d.brand = n.brand`,
    values: [
      donations.map(({ brand }) => brand),
      plain(donations.map(({ donationId }) => donationId)),
      plain(donations.map(({ state }) => state)),
    ],
  })
}

/** Sums of a fund's final donations. */
export async function sumDonations(
  sql: Sql,
  brand: string,
  fundId: string,
): Promise<DonatedMoney & { readonly points: bigint }> {
  const [row] = await sql.query<{ points: bigint; money: bigint; match: bigint }>({
    name: 'ledger-sum-donations',
    text: `SELECT coalesce(sum(points), 0)::bigint AS points, coalesce(sum(money_minor), 0)::bigint AS money,
        coalesce(sum(match_minor), 0)::bigint AS match
      FROM donation WHERE brand = $1 AND fund_id = $2 AND state = 'donated'`,
    values: [brand, fundId],
  })
  return { points: row?.points ?? 0n, moneyMinor: row?.money ?? 0n, matchMinor: row?.match ?? 0n }
}

function stateOf({ hold_state: state }: RawDonation): DonationState {
  switch (state) {
    case 'open':
      return 'open'
    case 'committed':
      return 'donated'
    case 'cancelled':
      return 'undone'
  }
}

function fromRow(row: RawDonation): StoredDonation {
  return {
    brand: row.brand,
    donationId: row.donation_id,
    memberId: row.member_id,
    fundId: row.fund_id,
    version: row.version,
    points: row.points,
    moneyMinor: row.money_minor,
    matchMinor: row.match_minor,
    donatedAtMs: row.donated_at.getTime(),
    undoUntilMs: row.undo_until.getTime(),
  }
}
