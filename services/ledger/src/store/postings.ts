import type { Sql } from '@stampede/platform'
import type { Posting, PostingKind } from '../domain/posting.ts'
import { columnsOf } from './accounts.ts'
import { instants, numbers, plain } from './columns.ts'
import type { AccountKey } from './keys.ts'

/** A posting and whose it is. */
export interface OwnedPosting {
  readonly key: AccountKey
  readonly posting: Posting
}

/** Appends postings; the partition of the month must be there. */
export async function insertPostings(
  tx: Sql,
  postings: readonly OwnedPosting[],
  at: { readonly postedAtMs: number; readonly month: string },
): Promise<void> {
  if (postings.length === 0) return
  await tx.query({
    name: 'ledger-insert-postings',
    text: `INSERT INTO posting (brand, member_id, currency, version, transaction_id, kind, cause_id, occurred_at,
        entry_accounts, entry_amounts, lot_ids, lot_purposes, lot_available, lot_pending, lot_held, posted_at, month)
      SELECT n.brand, n.member_id, n.currency, n.version, n.transaction_id, n.kind, n.cause_id, n.occurred_at,
        n.entry_accounts::ledger_account[], n.entry_amounts::bigint[], n.lot_ids::uuid[], n.lot_purposes::lot_purpose[],
        n.lot_available::bigint[], n.lot_pending::bigint[], n.lot_held::bigint[], $16::timestamptz, $17::date
      FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::uuid[], $6::text[], $7::uuid[],
        $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[])
        n (brand, member_id, currency, version, transaction_id, kind, cause_id, occurred_at, entry_accounts,
          entry_amounts, lot_ids, lot_purposes, lot_available, lot_pending, lot_held)`,
    values: [
      ...columnsOf(postings.map(({ key }) => key)),
      numbers(postings.map(({ posting }) => posting.version)),
      plain(postings.map(({ posting }) => posting.transactionId)),
      plain(postings.map(({ posting }) => posting.kind)),
      plain(postings.map(({ posting }) => (posting.causeId === '' ? null : posting.causeId))),
      instants(postings.map(({ posting }) => posting.occurredAtMs)),
      lists(postings, ({ entries }) => plain(entries.map(({ account }) => account))),
      lists(postings, ({ entries }) => numbers(entries.map(({ amount }) => amount))),
      lists(postings, ({ allocations }) => plain(allocations.map(({ lotId }) => lotId))),
      lists(postings, ({ allocations }) => plain(allocations.map(({ purpose }) => purpose))),
      lists(postings, ({ allocations }) => numbers(allocations.map(({ available }) => available))),
      lists(postings, ({ allocations }) => numbers(allocations.map(({ pending }) => pending))),
      lists(postings, ({ allocations }) => numbers(allocations.map(({ held }) => held))),
      new Date(at.postedAtMs),
      at.month,
    ],
  })
}

/** One array literal per posting, inside an array literal of texts; none of them holds a quote. */
function lists(postings: readonly OwnedPosting[], listOf: (posting: Posting) => string): string {
  return `{${postings.map(({ posting }) => `"${listOf(posting)}"`).join(',')}}`
}

/** A posting as a member's history shows it. */
export interface HistoryRow {
  readonly version: bigint
  readonly transaction_id: string
  readonly kind: PostingKind
  readonly cause_id: string | null
  readonly occurred_at: Date
  readonly posted_at: Date
  readonly delta_available: bigint
}

/** Postings of an account below a version, newest first. */
export async function readHistory(
  sql: Sql,
  key: AccountKey,
  belowVersion: bigint | null,
  limit: number,
): Promise<readonly HistoryRow[]> {
  return sql.query<HistoryRow>({
    name: 'ledger-read-history',
    text: `SELECT version, transaction_id, kind, cause_id, occurred_at, posted_at,
        coalesce(entry_amounts[array_position(entry_accounts, 'available')], 0) AS delta_available
      FROM posting
      WHERE brand = $1 AND member_id = $2 AND currency = $3 AND ($4::bigint IS NULL OR version < $4)
      ORDER BY version DESC LIMIT $5`,
    values: [key.brand, key.memberId, key.currency, belowVersion, limit],
  })
}
