import type { Database } from '@stampede/platform'
import { type Account, emptyAccount } from '../domain/account.ts'
import { viewAt } from '../domain/view.ts'
import { readAccounts } from './accounts.ts'
import { readOpenHolds } from './holds.ts'
import type { AccountKey } from './keys.ts'
import { readLiveLots } from './lots.ts'
import { beginReading } from './plans.ts'

/** A member's account as it is at an instant, read in one snapshot; `known` is false where nobody knows the member. */
export async function readAccountView(
  database: Database,
  key: AccountKey,
  nowMs: number,
): Promise<{ readonly known: boolean; readonly account: Account }> {
  return database.transaction(async (tx) => {
    await beginReading(tx)
    const [row] = await readAccounts(tx, [key])
    if (row === undefined) return { known: false, account: emptyAccount }
    const lots = new Map((await readLiveLots(tx, [key])).map(({ lot }) => [lot.lotId, lot]))
    const holds = new Map((await readOpenHolds(tx, [key])).map(({ hold }) => [hold.holdId, hold]))
    return { known: row.known, account: viewAt({ ...row.totals, lots, holds }, nowMs) }
  })
}
