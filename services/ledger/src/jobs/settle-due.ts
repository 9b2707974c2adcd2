import type { LedgerContext } from '../context.ts'
import { forgetTouches } from '../store/referrals/people.ts'
import { bookDonations } from './donations/book-donations.ts'
import { closeDraws } from './draws/close-draws.ts'
import { closeMonths } from './referrals/close-months.ts'
import { giveRewards } from './referrals/give-rewards.ts'
import { earnTerms } from './subscriptions/earn-terms.ts'

/** Does what is due of the models that follow receipts, up to `limit` of each kind; answers how much it did at most. */
export async function settleDue(context: LedgerContext, limit: number): Promise<number> {
  const { database, clock } = context
  const done = [
    await closeMonths(context, limit),
    await giveRewards(context, limit),
    await bookDonations(context, limit),
    await closeDraws(context, limit),
    await earnTerms(context, limit),
    await forgetTouches(database, clock.now(), limit),
  ]
  return Math.max(...done)
}
