import type { LedgerContext } from '../../context.ts'
import { revenuePosting } from '../../domain/subscriptions/books.ts'
import { dayEnd, daysAt, revenueOf } from '../../domain/subscriptions/subscription.ts'
import { insertMoneyPostings } from '../../store/money.ts'
import { lockEarningTerms, writeTerms } from '../../store/subscriptions/terms.ts'

/** Books what the days that are over have earned, of up to `limit` terms; answers how many. */
export async function earnTerms({ database, clock, brands }: LedgerContext, limit: number): Promise<number> {
  return database.transaction(async (tx) => {
    const now = clock.now()
    const due = await lockEarningTerms(tx, now, limit)
    const earned = due.flatMap((term) => {
      const timeZone = brands.get(term.brand)?.timeZone
      if (timeZone === undefined) return []
      const { over } = daysAt(term, now.getTime(), timeZone)
      const revenueMinor = revenueOf(term, over, timeZone)
      const posting = revenuePosting(
        term,
        revenueMinor - term.revenueMinor,
        dayEnd(term, over - 1, timeZone) ?? term.untilMs,
      )
      return [{ term: { ...term, revenueMinor, earnsAtMs: dayEnd(term, over, timeZone) }, posting }]
    })
    const moving = earned.filter(({ posting }) => posting.entries.length > 0)
    await insertMoneyPostings(
      tx,
      moving.map(({ term: { brand }, posting }) => ({ brand, posting })),
      now,
    )
    await writeTerms(
      tx,
      earned.map(({ term }) => term),
    )
    return earned.length
  })
}
