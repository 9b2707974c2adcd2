import { type Sql, uuidv7 } from '@stampede/platform'
import type { MoneyAccount, MoneyKind, MoneyPosting } from '../domain/money.ts'
import { instants, numbers, plain, texts } from './columns.ts'

/** A posting of a brand's money books. */
export interface BrandMoneyPosting {
  readonly brand: string
  readonly posting: MoneyPosting
}

/** Adds postings to the books. */
export async function insertMoneyPostings(tx: Sql, postings: readonly BrandMoneyPosting[], now: Date): Promise<void> {
  if (postings.length === 0) return
  await tx.query({
    name: 'ledger-insert-money-postings',
    text: `INSERT INTO money_posting (brand, posting_id, kind, cause_id, reference, occurred_at, entry_accounts,
        entry_parties, entry_amounts, posted_at)
      SELECT n.brand, n.posting_id, n.kind, n.cause_id, n.reference, n.occurred_at, n.accounts::text[], n.parties::text[],
        n.amounts::bigint[], $10::timestamptz
      FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::timestamptz[], $7::text[], $8::text[],
        $9::text[]) n (brand, posting_id, kind, cause_id, reference, occurred_at, accounts, parties, amounts)`,
    values: [
      postings.map(({ brand }) => brand),
      plain(postings.map(() => uuidv7(now.getTime()))),
      plain(postings.map(({ posting }) => posting.kind)),
      plain(postings.map(({ posting }) => posting.causeId)),
      postings.map(({ posting }) => posting.reference),
      instants(postings.map(({ posting }) => posting.occurredAtMs)),
      postings.map(({ posting }) => plain(posting.entries.map(({ account }) => account))),
      postings.map(({ posting }) => texts(posting.entries.map(({ party }) => party))),
      postings.map(({ posting }) => numbers(posting.entries.map(({ amountMinor }) => amountMinor))),
      now,
    ],
  })
}

/** What each tender has paid for a gift card, minor units, by its name. */
export async function readTendersOf(
  sql: Sql,
  brand: string,
  cardId: string,
): Promise<readonly { readonly tender: string; readonly amountMinor: bigint }[]> {
  const rows = await sql.query<{ party: string; amount: bigint }>({
    name: 'ledger-read-tenders-of-gift-card',
    text: `SELECT party, sum(amount)::bigint AS amount FROM money_entry
      WHERE cause_id = $2 AND brand = $1 AND kind IN ('gift_sale', 'gift_reload') AND account = 'tender'
      GROUP BY party ORDER BY party`,
    values: [brand, cardId],
  })
  return rows.map(({ party, amount }) => ({ tender: party, amountMinor: amount }))
}

/** What gift cards' entries came to by kind, before an instant and from it to another one, minor units. */
export interface GiftCardSums {
  readonly kind: MoneyKind
  readonly beforeMinor: bigint
  readonly withinMinor: bigint
}

/** Sums of the entries of all gift cards of a brand by kind; infinite instants are no limits. Reads all of the brand's entries. */
export async function sumGiftCards(
  sql: Sql,
  brand: string,
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
): Promise<readonly GiftCardSums[]> {
  const rows = await sql.query<{ kind: MoneyKind; before: bigint; within: bigint }>(
    `SELECT kind, coalesce(sum(amount) FILTER (WHERE occurred_at < $2), 0)::bigint AS before,
       coalesce(sum(amount) FILTER (WHERE ($2::timestamptz IS NULL OR occurred_at >= $2)
         AND ($3::timestamptz IS NULL OR occurred_at < $3)), 0)::bigint AS within
     FROM money_entry WHERE brand = $1 AND account = 'giftcard' GROUP BY kind`,
    [brand, Number.isFinite(fromMs) ? new Date(fromMs) : null, Number.isFinite(untilMs) ? new Date(untilMs) : null],
  )
  return rows.map(({ kind, before, within }) => ({ kind, beforeMinor: before, withinMinor: within }))
}

/** What participants of a coalition get, or pay with a minus, for receipts that occurred before an instant. Reads all of its entries. */
export async function sumSettlement(
  sql: Sql,
  brand: string,
  until: Date,
): Promise<readonly { readonly participantId: string; readonly amountMinor: bigint }[]> {
  const rows = await sql.query<{ party: string; amount: bigint }>(
    `SELECT party, sum(amount)::bigint AS amount FROM money_entry
     WHERE brand = $1 AND account = 'settle' AND occurred_at < $2
     GROUP BY party HAVING sum(amount) <> 0 ORDER BY party`,
    [brand, until],
  )
  return rows.map(({ party, amount }) => ({ participantId: party, amountMinor: amount }))
}

/** Money on blocked gift cards, minor units. */
export async function sumBlocked(sql: Sql, brand: string): Promise<bigint> {
  const [row] = await sql.query<{ sum: bigint }>(
    `SELECT coalesce(sum(balance_minor), 0)::bigint AS sum FROM gift_card WHERE brand = $1 AND state = 'blocked'`,
    [brand],
  )
  return row?.sum ?? 0n
}

/** What has come together on an account, by its party. */
export interface MoneyBalanceRow {
  readonly account: string
  readonly party: string
  readonly amountMinor: bigint
}

/** Balances of the parties of an account whose names begin so, by name, from behind `after`. Reads all of the brand's entries. */
export async function readMoneyBalances(
  sql: Sql,
  brand: string,
  {
    account,
    prefix,
    after,
    limit,
  }: { readonly account: MoneyAccount; readonly prefix: string; readonly after: string; readonly limit: number },
): Promise<readonly MoneyBalanceRow[]> {
  const rows = await sql.query<{ party: string; amount: bigint }>({
    name: 'ledger-read-money-balances',
    text: `SELECT party, sum(amount)::bigint AS amount FROM money_entry
      WHERE brand = $1 AND account = $2 AND starts_with(party, $3) AND ($4 = '' OR party COLLATE "C" > $4)
      GROUP BY party ORDER BY party COLLATE "C" LIMIT $5`,
    values: [brand, account, prefix, after, limit],
  })
  return rows.map(({ party, amount }) => ({ account, party, amountMinor: amount }))
}

/** What is owed to a party, as it stands in the books (minus); whoever decides by it gets it alone until the transaction ends. */
export async function lockPayable(tx: Sql, brand: string, party: string): Promise<bigint> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ledger.payable.' || $1 || '/' || $2, 0))`, [
    brand,
    party,
  ])
  const [row] = await tx.query<{ amount: bigint | null }>({
    name: 'ledger-read-payable',
    text: `SELECT sum(e.amount)::bigint AS amount FROM money_posting p
      CROSS JOIN LATERAL unnest(p.entry_accounts, p.entry_parties, p.entry_amounts) e (account, party, amount)
      WHERE 'payable' = ANY (p.entry_accounts) AND p.entry_parties @> ARRAY[$2] AND p.brand = $1
        AND e.account = 'payable' AND e.party = $2`,
    values: [brand, party],
  })
  return row?.amount ?? 0n
}
