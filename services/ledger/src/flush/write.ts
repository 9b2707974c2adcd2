import { type OutboxMessage, type Sql, writeOutbox } from '@stampede/platform'
import { utcMonth } from '../domain/calendar.ts'
import { accountEvent, receiptEvent } from '../events.ts'
import { updateAccounts } from '../store/accounts.ts'
import { writeAdjustments } from '../store/adjustments.ts'
import { writeEventGrants } from '../store/event-grants.ts'
import { type OwnedHold, writeHolds } from '../store/holds.ts'
import { insertAnswers } from '../store/idempotency.ts'
import { insertLots, type OwnedLot, updateLots } from '../store/lots.ts'
import { insertPostings } from '../store/postings.ts'
import { insertReceipts, updateSales } from '../store/receipts.ts'
import type { WorkingAccount, WorkingSet } from './working-set.ts'

/** Writes all that was decided in a constant number of statements, its events among it. */
export async function writeWorkingSet(tx: Sql, set: WorkingSet): Promise<void> {
  const changed = [...set.accounts.values()].filter((working) => working.cause !== undefined)
  const postings = changed.flatMap(({ key, postings: own }) => own.map((posting) => ({ key, posting })))
  // None reads what another writes: they leave together and run in this order.
  await Promise.all([
    insertPostings(tx, postings, { postedAtMs: set.nowMs, month: utcMonth(set.nowMs) }),
    writeLots(tx, changed),
    writeHoldsOf(tx, changed),
    insertReceipts(
      tx,
      set.receipts.map(({ receipt }) => receipt),
      set.nowMs,
    ),
    updateSales(
      tx,
      [...set.changedSales].flatMap((text) => set.sales.get(text) ?? []),
    ),
    insertAnswers(tx, set.newAnswers),
    writeEventGrants(
      tx,
      [...set.changedGrants].flatMap((text) => set.eventGrants.get(text) ?? []),
    ),
    writeAdjustments(
      tx,
      [...set.changedAdjustments].flatMap((text) => set.adjustments.get(text) ?? []),
    ),
    updateAccounts(
      tx,
      changed.map(({ key, account }) => ({ key, totals: account })),
    ),
    writeOutbox(tx, eventsOf(set, changed)),
  ])
}

async function writeLots(tx: Sql, changed: readonly WorkingAccount[]): Promise<void> {
  const made: OwnedLot[] = []
  const kept: OwnedLot[] = []
  for (const { key, account, touchedLots, storedIds } of changed) {
    for (const lotId of touchedLots) {
      const lot = account.lots.get(lotId)
      if (lot !== undefined) (storedIds.has(lotId) ? kept : made).push({ key, lot })
    }
  }
  await Promise.all([insertLots(tx, made), updateLots(tx, kept)])
}

async function writeHoldsOf(tx: Sql, changed: readonly WorkingAccount[]): Promise<void> {
  const made: OwnedHold[] = []
  const kept: OwnedHold[] = []
  for (const { key, account, touchedHolds, storedIds } of changed) {
    for (const holdId of touchedHolds) {
      const hold = account.holds.get(holdId)
      if (hold !== undefined) (storedIds.has(holdId) ? kept : made).push({ key, hold })
    }
  }
  await writeHolds(tx, kept, made)
}

function eventsOf(set: WorkingSet, changed: readonly WorkingAccount[]): readonly OutboxMessage[] {
  const now = new Date(set.nowMs)
  const accounts = changed.flatMap((working) => {
    const currency = set.brands.get(working.key.brand)?.currency ?? ''
    return accountEvent(working, currency, now) ?? []
  })
  return [...accounts, ...set.receipts.map((posted) => receiptEvent(posted, now))]
}
