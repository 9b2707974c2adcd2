import type { LedgerContext } from '../../context.ts'
import { donationEntries } from '../../domain/donations/donation.ts'
import { moneyPosting } from '../../domain/money.ts'
import { lockResolvedDonations, writeResolved } from '../../store/donations/donations.ts'
import { insertMoneyPostings } from '../../store/money.ts'

/** Books what funds are owed for up to `limit` donations that are final; answers how many it looked at. */
export async function bookDonations({ database, clock }: LedgerContext, limit: number): Promise<number> {
  return database.transaction(async (tx) => {
    const now = clock.now()
    const resolved = await lockResolvedDonations(tx, now, limit)
    const postings = resolved
      .filter(({ state }) => state === 'donated')
      .map(({ brand, donationId, fundId, undoUntilMs, ...money }) => ({
        brand,
        posting: moneyPosting({
          kind: 'donation',
          causeId: donationId,
          reference: '',
          occurredAtMs: undoUntilMs,
          entries: donationEntries(fundId, money),
        }),
      }))
    await insertMoneyPostings(tx, postings, now)
    await writeResolved(tx, resolved)
    return resolved.length
  })
}
