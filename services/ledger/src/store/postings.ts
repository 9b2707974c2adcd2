import type { Sql } from '@stampede/platform'
import type { Posting, PostingKind } from '../domain/posting.ts'
import { columnsOf } from './accounts.ts'
import { instants, numbers, plain } from './columns.ts'
import type { AccountKey } from './keys.ts'

/** A posting with what its rows need besides. */
export interface OwnedPosting {
  readonly key: AccountKey
  readonly posting: Posting
  /** YYYY-MM-01 in the brand's zone. */
  readonly businessMonth: string
}

/** Appends transactions with their entries and allocations. */
export async function insertPostings(tx: Sql, postings: readonly OwnedPosting[], postedAtMs: number): Promise<void> {
  if (postings.length === 0) return
  await Promise.all([
    insertTransactions(tx, postings, postedAtMs),
    insertEntries(tx, postings),
    insertAllocations(tx, postings),
  ])
}

async function insertTransactions(tx: Sql, postings: readonly OwnedPosting[], postedAtMs: number): Promise<void> {
  await tx.query({
    name: 'ledger-insert-transactions',
    text: `INSERT INTO transaction_row (brand, member_id, version, transaction_id, kind, cause_id, occurred_at,
        business_month, posted_at)
      SELECT n.*, $9::timestamptz FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::uuid[],
        $7::timestamptz[], $8::date[]) n`,
    values: [
      ...columnsOf(postings.map(({ key }) => key)),
      numbers(postings.map(({ posting }) => posting.version)),
      plain(postings.map(({ posting }) => posting.transactionId)),
      plain(postings.map(({ posting }) => posting.kind)),
      plain(postings.map(({ posting }) => (posting.causeId === '' ? null : posting.causeId))),
      instants(postings.map(({ posting }) => posting.occurredAtMs)),
      plain(postings.map(({ businessMonth }) => businessMonth)),
      new Date(postedAtMs),
    ],
  })
}

async function insertEntries(tx: Sql, postings: readonly OwnedPosting[]): Promise<void> {
  const entries = postings.flatMap(({ key, posting, businessMonth }) =>
    posting.entries.map((entry) => ({ key, version: posting.version, businessMonth, entry })),
  )
  if (entries.length === 0) return
  await tx.query({
    name: 'ledger-insert-entries',
    text: `INSERT INTO entry (brand, member_id, version, account, amount, business_month)
      SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::bigint[], $6::date[])`,
    values: [
      ...columnsOf(entries.map(({ key }) => key)),
      numbers(entries.map(({ version }) => version)),
      plain(entries.map(({ entry }) => entry.account)),
      numbers(entries.map(({ entry }) => entry.amount)),
      plain(entries.map(({ businessMonth }) => businessMonth)),
    ],
  })
}

async function insertAllocations(tx: Sql, postings: readonly OwnedPosting[]): Promise<void> {
  const rows = postings.flatMap(({ key, posting }) =>
    posting.allocations.map((allocation, ordinal) => ({ key, version: posting.version, ordinal, allocation })),
  )
  if (rows.length === 0) return
  await tx.query({
    name: 'ledger-insert-allocations',
    text: `INSERT INTO allocation (brand, member_id, version, ordinal, lot_id, purpose, available, held)
      SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::integer[], $5::uuid[], $6::text[], $7::bigint[],
        $8::bigint[])`,
    values: [
      ...columnsOf(rows.map(({ key }) => key)),
      numbers(rows.map(({ version }) => version)),
      numbers(rows.map(({ ordinal }) => ordinal)),
      plain(rows.map(({ allocation }) => allocation.lotId)),
      plain(rows.map(({ allocation }) => allocation.purpose)),
      numbers(rows.map(({ allocation }) => allocation.available)),
      numbers(rows.map(({ allocation }) => allocation.held)),
    ],
  })
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

/** Postings of a member below a version, newest first. */
export async function readHistory(
  sql: Sql,
  key: AccountKey,
  belowVersion: bigint | null,
  limit: number,
): Promise<readonly HistoryRow[]> {
  return sql.query<HistoryRow>({
    name: 'ledger-read-history',
    text: `SELECT t.version, t.transaction_id, t.kind, t.cause_id, t.occurred_at, t.posted_at,
        coalesce(e.amount, 0) AS delta_available
      FROM transaction_row t
      LEFT JOIN entry e ON e.brand = t.brand AND e.member_id = t.member_id AND e.version = t.version
        AND e.account = 'available'
      WHERE t.brand = $1 AND t.member_id = $2 AND ($3::bigint IS NULL OR t.version < $3)
      ORDER BY t.version DESC LIMIT $4`,
    values: [key.brand, key.memberId, belowVersion, limit],
  })
}
