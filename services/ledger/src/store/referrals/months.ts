import type { Sql } from '@stampede/platform'

/** What finds an advocate's month. */
export interface MonthKey {
  readonly brand: string
  readonly advocateId: string
  /** YYYY-MM-01. */
  readonly month: string
}

/** An advocate's month that is not closed. */
export interface OpenMonth extends MonthKey {
  readonly netMinor: bigint
  /** What the months before left below zero. */
  readonly carryMinor: bigint
}

/** The last closed month of an advocate; undefined before the first. */
export async function readLastClosed(
  sql: Sql,
  { brand, advocateId }: Omit<MonthKey, 'month'>,
): Promise<string | undefined> {
  const [row] = await sql.query<{ month: string | null }>({
    name: 'ledger-read-last-closed-month',
    text: `SELECT max(month) AS month FROM referral_month
      WHERE advocate_id = $2 AND brand = $1 AND closed_at IS NOT NULL`,
    values: [brand, advocateId],
  })
  return row?.month ?? undefined
}

/** Adds money, and what is carried, to an open month; the advocate is locked. */
export async function addToMonth(
  tx: Sql,
  { brand, advocateId, month, netMinor, carryMinor }: OpenMonth,
  closesAtMs: number,
): Promise<void> {
  await tx.query({
    name: 'ledger-add-to-referral-month',
    text: `INSERT INTO referral_month AS m (brand, advocate_id, month, net_minor, carry_minor, closes_at)
      VALUES ($1, $2, $3, $4, $5, $6)
      ON CONFLICT (advocate_id, brand, month) DO UPDATE SET net_minor = m.net_minor + excluded.net_minor,
        carry_minor = m.carry_minor + excluded.carry_minor`,
    values: [brand, advocateId, month, netMinor, carryMinor, new Date(closesAtMs)],
  })
}

/** Open months whose time has come, oldest first. */
export async function readDueMonths(sql: Sql, now: Date, limit: number): Promise<readonly MonthKey[]> {
  const rows = await sql.query<{ brand: string; advocate_id: string; month: string }>({
    name: 'ledger-read-due-referral-months',
    text: `SELECT brand, advocate_id, month FROM referral_month WHERE closed_at IS NULL AND closes_at <= $1
      ORDER BY closes_at, month LIMIT $2`,
    values: [now, limit],
  })
  return rows.map((row) => ({ brand: row.brand, advocateId: row.advocate_id, month: row.month }))
}

/** A month that is still open and the first of its advocate; undefined when it is not. The advocate is locked. */
export async function readOpenMonth(tx: Sql, key: MonthKey): Promise<OpenMonth | undefined> {
  const [row] = await tx.query<{ month: string; net_minor: bigint; carry_minor: bigint }>({
    name: 'ledger-read-open-referral-month',
    text: `SELECT month, net_minor, carry_minor FROM referral_month
      WHERE advocate_id = $2 AND brand = $1 AND closed_at IS NULL ORDER BY month LIMIT 1`,
    values: [key.brand, key.advocateId],
  })
  if (row?.month !== key.month) return undefined
  return { ...key, netMinor: row.net_minor, carryMinor: row.carry_minor }
}

/** Closes a month with what came of it, minor units. */
export async function writeClosedMonth(
  tx: Sql,
  { brand, advocateId, month }: MonthKey,
  { version, rewardMinor }: { readonly version: number; readonly rewardMinor: bigint },
  now: Date,
): Promise<void> {
  await tx.query({
    name: 'ledger-close-referral-month',
    text: `UPDATE referral_month SET version = $4, reward_minor = $5, closed_at = $6
      WHERE advocate_id = $2 AND brand = $1 AND month = $3`,
    values: [brand, advocateId, month, version, rewardMinor, now],
  })
}

/** What of a sale is counted so far, minor units; undefined: nothing was yet. */
export async function readCounted(sql: Sql, brand: string, receiptId: string): Promise<bigint | undefined> {
  const [row] = await sql.query<{ counted_minor: bigint }>({
    name: 'ledger-read-referral-spend',
    text: 'SELECT counted_minor FROM referral_spend WHERE receipt_id = $2 AND brand = $1',
    values: [brand, receiptId],
  })
  return row?.counted_minor
}

/** Notes how much of a sale is counted. Its referral is locked. */
export async function writeCounted(
  tx: Sql,
  { brand, advocateId }: Omit<MonthKey, 'month'>,
  receiptId: string,
  countedMinor: bigint,
): Promise<void> {
  await tx.query({
    name: 'ledger-write-referral-spend',
    text: `INSERT INTO referral_spend (brand, receipt_id, advocate_id, counted_minor) VALUES ($1, $2, $3, $4)
      ON CONFLICT (receipt_id, brand) DO UPDATE SET counted_minor = excluded.counted_minor`,
    values: [brand, receiptId, advocateId, countedMinor],
  })
}
