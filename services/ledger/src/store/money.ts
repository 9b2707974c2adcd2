import type { Sql } from '@stampede/platform'
import type { MoneyPosting } from '../domain/money.ts'
import { instants } from './columns.ts'

/** Adds postings to the money books; one of a reference that is there fails the transaction. Those without entries are left out. */
export async function insertMoney(tx: Sql, postings: readonly MoneyPosting[], now: Date): Promise<void> {
  const moving = postings.filter(({ entries }) => entries.length > 0)
  if (moving.length === 0) return
  await tx.query({
    name: 'ledger-insert-money',
    text: `INSERT INTO money_posting (brand, reference, accounts, amounts, occurred_at, posted_at)
      SELECT n.brand, n.reference, n.accounts::text[], n.amounts::bigint[], n.occurred_at, $6
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
        n (brand, reference, accounts, amounts, occurred_at)`,
    values: [
      moving.map(({ brand }) => brand),
      moving.map(({ reference }) => reference),
      moving.map(({ entries }) => `{${entries.map(({ account }) => `"${account}"`).join(',')}}`),
      moving.map(({ entries }) => `{${entries.map(({ amountMinor }) => amountMinor).join(',')}}`),
      instants(moving.map(({ occurredAtMs }) => occurredAtMs)),
      now,
    ],
  })
}

/** What has come together on an account. */
export interface MoneyBalanceRow {
  readonly account: string
  readonly amountMinor: bigint
}

/** Balances of the accounts whose names begin so, by name, from behind `after`. */
export async function readMoneyBalances(
  sql: Sql,
  brand: string,
  { prefix, after, limit }: { readonly prefix: string; readonly after: string; readonly limit: number },
): Promise<readonly MoneyBalanceRow[]> {
  const rows = await sql.query<{ account: string; amount: bigint }>({
    name: 'ledger-read-money-balances',
    text: `SELECT account, sum(amount)::bigint AS amount FROM money_entry
      WHERE brand = $1 AND starts_with(account, $2) AND account COLLATE "C" > $3
      GROUP BY account ORDER BY account COLLATE "C" LIMIT $4`,
    values: [brand, prefix, after, limit],
  })
  return rows.map(({ account, amount }) => ({ account, amountMinor: amount }))
}

/** Balance of one account; whoever decides by it gets it alone until the transaction ends. */
export async function lockMoneyBalance(tx: Sql, brand: string, account: string): Promise<bigint> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ledger.money.' || $1 || '/' || $2, 0))`, [
    brand,
    account,
  ])
  const [row] = await tx.query<{ amount: bigint | null }>({
    name: 'ledger-read-money-balance',
    text: `SELECT sum(e.amount)::bigint AS amount FROM money_posting p
      CROSS JOIN LATERAL unnest(p.accounts, p.amounts) e (account, amount)
      WHERE p.brand = $1 AND p.accounts @> ARRAY[$2] AND e.account = $2`,
    values: [brand, account],
  })
  return row?.amount ?? 0n
}
