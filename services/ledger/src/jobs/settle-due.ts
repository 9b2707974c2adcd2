import type { LedgerContext } from '../context.ts'
import { forgetTouches } from '../store/referrals/people.ts'
import { bookDonations } from './donations/book-donations.ts'
import { closeDraws } from './draws/close-draws.ts'
import { closeMonths } from './referrals/close-months.ts'
import { giveRewards } from './referrals/give-rewards.ts'
import { earnTerms } from './subscriptions/earn-terms.ts'

const works: readonly ((context: LedgerContext, limit: number) => Promise<number>)[] = [
  closeMonths,
  giveRewards,
  bookDonations,
  closeDraws,
  earnTerms,
  ({ database, clock }, limit) => forgetTouches(database, clock.now(), limit),
]

/**
 * Does what is due besides accounts, up to `limit` of each kind; answers how much it did at most. What fails keeps nothing
 * else from being done, and is thrown in the end.
 */
export async function settleDue(context: LedgerContext, limit: number): Promise<number> {
  const failures: unknown[] = []
  let done = 0
  for (const work of works) {
    try {
      done = Math.max(done, await work(context, limit))
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
  return done
}
