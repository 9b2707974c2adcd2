import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { StoryContext } from './context.ts'
import { readJournal } from './journal.ts'

/** How a sale is paid by points; no hold: not at all. */
export interface Payment {
  readonly holdId: string
  readonly pointsToPay: bigint
}

/** A sale that is paid in cash. */
export const noPayment: Payment = { holdId: '', pointsToPay: 0n }

/** What was acknowledged to a till: idempotency key and the ledger's id. */
export interface Acknowledgement {
  readonly key: string
  readonly id: string
}

/** What the tills wrote down, over all runs on a data directory. */
export interface TillRecords {
  /** The ledger's id of an entry that was acknowledged. */
  idOf(key: string): string | undefined
  /** Writes down at the till's side what was acknowledged: the check that nothing is lost must not ask the ledger alone. */
  acknowledge(rows: readonly Acknowledgement[]): void
  /** How a sale was going to be paid, whether or not its answer arrived. */
  paymentOf(key: string): Payment | undefined
  /** Writes down how a sale is going to be paid, before it is posted: a repeat in a later run must ask for the same. */
  pay(key: string, payment: Payment): void
}

interface PaymentRow {
  readonly key: string
  readonly holdId: string
  readonly points: string
}

/** Opens the records of the brand's tills. */
export async function openTillRecords({ platform, brand }: StoryContext): Promise<TillRecords> {
  const data = join(platform.folders.root, 'data')
  const acknowledgements = join(data, 'tills', `${brand}.ndjson`)
  const paymentsFile = join(data, 'story', `${brand}-payments.ndjson`)
  for (const folder of ['tills', 'story']) mkdirSync(join(data, folder), { recursive: true })
  const ids = new Map<string, string>()
  for await (const { key, id } of readJournal<Acknowledgement>(acknowledgements)) ids.set(key, id)
  const payments = new Map<string, Payment>()
  for await (const { key, holdId, points } of readJournal<PaymentRow>(paymentsFile)) {
    payments.set(key, { holdId, pointsToPay: BigInt(points) })
  }
  return {
    idOf: (key) => ids.get(key),
    acknowledge: (rows) => {
      append(acknowledgements, rows)
      for (const { key, id } of rows) ids.set(key, id)
    },
    paymentOf: (key) => payments.get(key),
    pay: (key, payment) => {
      const row: PaymentRow = { key, holdId: payment.holdId, points: payment.pointsToPay.toString() }
      append(paymentsFile, [row])
      payments.set(key, payment)
    },
  }
}

function append(file: string, rows: readonly object[]): void {
  appendFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
}
