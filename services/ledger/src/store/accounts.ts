import type { Sql } from '@stampede/platform'
import type { Totals } from '../domain/account.ts'
import { numbers, plain } from './columns.ts'
import type { AccountKey } from './keys.ts'

/** An account's row. */
export interface AccountRow extends AccountKey {
  readonly totals: Totals
  /** False for a row that was made only to be locked. */
  readonly known: boolean
}

interface RawAccount {
  readonly brand: string
  readonly member_id: string
  readonly currency: string
  readonly available: bigint
  readonly pending: bigint
  readonly held: bigint
  readonly debt: bigint
  readonly version: bigint
  readonly lifetime_earned: bigint
  readonly known: boolean
}

/** Makes missing accounts and locks all of them; the keys must be sorted, or two flushes could wait for each other. */
export async function lockAccounts(tx: Sql, keys: readonly AccountKey[]): Promise<void> {
  await tx.query({
    name: 'ledger-lock-accounts',
    // A conflict locks the row even where the update is not done; the next statement's snapshot sees the winner.
    text: `INSERT INTO account (brand, member_id, currency)
      SELECT brand, member_id, currency
      FROM unnest($1::text[], $2::uuid[], $3::text[]) WITH ORDINALITY k (brand, member_id, currency, position)
      ORDER BY position
      ON CONFLICT (brand, member_id, currency) DO UPDATE SET version = account.version WHERE false`,
    values: columnsOf(keys),
  })
}

/** Locks accounts that have lots or holds past their end at `now`, at most `limit`, leaving out those in work elsewhere. */
export async function lockDueAccounts(tx: Sql, now: Date, limit: number): Promise<readonly AccountKey[]> {
  const rows = await tx.query<{ brand: string; member_id: string; currency: string }>({
    name: 'ledger-lock-due-accounts',
    text: `SELECT a.brand, a.member_id, a.currency FROM account a
      WHERE (a.brand, a.member_id, a.currency) IN (
        (SELECT brand, member_id, currency FROM lot WHERE available > 0 AND expires_at <= $1
          ORDER BY expires_at LIMIT $2)
        UNION
        (SELECT brand, member_id, currency FROM lot WHERE pending > 0 AND activates_at <= $1
          ORDER BY activates_at LIMIT $2)
        UNION
        (SELECT brand, member_id, currency FROM lot WHERE pending > 0 AND expires_at <= $1
          ORDER BY expires_at LIMIT $2)
        UNION
        (SELECT brand, member_id, currency FROM hold WHERE state = 'open' AND expires_at <= $1
          ORDER BY expires_at LIMIT $2)
        UNION
        (SELECT brand, member_id, 'points' FROM member_tier WHERE evaluate_at <= $1 ORDER BY evaluate_at LIMIT $2))
      ORDER BY a.brand, a.member_id, a.currency LIMIT $2
      FOR UPDATE SKIP LOCKED`,
    values: [now, limit],
  })
  return rows.map((row) => ({ brand: row.brand, memberId: row.member_id, currency: row.currency }))
}

/** Reads accounts; those that are not there are left out. */
export async function readAccounts(sql: Sql, keys: readonly AccountKey[]): Promise<readonly AccountRow[]> {
  const rows = await sql.query<RawAccount>({
    name: 'ledger-read-accounts',
    text: `SELECT a.* FROM unnest($1::text[], $2::uuid[], $3::text[]) k (brand, member_id, currency)
      CROSS JOIN LATERAL (SELECT * FROM account
        WHERE brand = k.brand AND member_id = k.member_id AND currency = k.currency LIMIT 1) a`,
    values: columnsOf(keys),
  })
  return rows.map((row) => ({
    brand: row.brand,
    memberId: row.member_id,
    currency: row.currency,
    known: row.known,
    totals: {
      available: row.available,
      pending: row.pending,
      held: row.held,
      debt: row.debt,
      version: row.version,
      lifetimeEarned: row.lifetime_earned,
    },
  }))
}

/** Writes the totals of locked accounts; they are known from then on. */
export async function updateAccounts(
  tx: Sql,
  rows: readonly { readonly key: AccountKey; readonly totals: Totals }[],
): Promise<void> {
  if (rows.length === 0) return
  await tx.query({
    name: 'ledger-update-accounts',
    text: `UPDATE account a SET available = n.available, pending = n.pending, held = n.held, debt = n.debt,
        version = n.version, lifetime_earned = n.lifetime_earned, known = true
      FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
        $8::bigint[], $9::bigint[])
        n (brand, member_id, currency, available, pending, held, debt, version, lifetime_earned)
      WHERE a.brand = n.brand AND a.member_id = n.member_id AND a.currency = n.currency`,
    values: [
      ...columnsOf(rows.map((row) => row.key)),
      numbers(rows.map((row) => row.totals.available)),
      numbers(rows.map((row) => row.totals.pending)),
      numbers(rows.map((row) => row.totals.held)),
      numbers(rows.map((row) => row.totals.debt)),
      numbers(rows.map((row) => row.totals.version)),
      numbers(rows.map((row) => row.totals.lifetimeEarned)),
    ],
  })
}

/** Makes accounts for enrolled members, so that a balance of zero is told apart from a member nobody knows. */
export async function enrollAccounts(tx: Sql, sortedKeys: readonly AccountKey[]): Promise<void> {
  await tx.query({
    name: 'ledger-enroll-accounts',
    text: `INSERT INTO account (brand, member_id, currency, known)
      SELECT brand, member_id, currency, true
      FROM unnest($1::text[], $2::uuid[], $3::text[]) WITH ORDINALITY k (brand, member_id, currency, position)
      ORDER BY position
      ON CONFLICT (brand, member_id, currency) DO UPDATE SET known = true WHERE NOT account.known`,
    values: columnsOf(sortedKeys),
  })
}

/** Brands, members and currencies as three columns. */
export function columnsOf(keys: readonly AccountKey[]): readonly [readonly string[], string, readonly string[]] {
  return [keys.map((key) => key.brand), plain(keys.map((key) => key.memberId)), keys.map((key) => key.currency)]
}
