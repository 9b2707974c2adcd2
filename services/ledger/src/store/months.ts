import type { Database } from '@stampede/platform'

/** Tables that are kept by month. */
export type MonthlyTable = 'posting' | 'receipt' | 'idempotency'

/** A month of a table. */
export interface TableMonth {
  readonly table: MonthlyTable
  /** YYYY-MM-01. */
  readonly month: string
}

/** Makes the partitions that rows need, each once in the life of the process. */
export class Months {
  readonly #made = new Set<string>()

  /** Makes those that are not there yet, in a transaction of its own: a flush must not hold the lock that it takes. */
  async ensure(database: Database, needed: readonly TableMonth[]): Promise<void> {
    const missing = needed.filter((one) => !this.#made.has(textOf(one)))
    if (missing.length === 0) return
    await database.transaction(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ledger.months', 0))`)
      await tx.query('SELECT make_month(t, m) FROM unnest($1::text[], $2::date[]) n (t, m)', [
        missing.map(({ table }) => table),
        missing.map(({ month }) => month),
      ])
    })
    for (const one of missing) this.#made.add(textOf(one))
  }
}

function textOf({ table, month }: TableMonth): string {
  return `${table} ${month}`
}
