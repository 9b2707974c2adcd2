import { invalidArgument } from '@stampede/platform'
import type { GetGiftCardMovementRequest, GetGiftCardMovementResponse } from '@stampede/proto/giftcards/v1'
import type { LedgerContext } from '../../context.ts'
import type { MoneyKind } from '../../domain/money.ts'
import { sum } from '../../domain/shares.ts'
import { sumBlocked, sumGiftCards } from '../../store/money.ts'
import { brandOf } from '../checks.ts'

/** What moved on all cards in a time. */
export async function getGiftCardMovement(
  context: LedgerContext,
  request: GetGiftCardMovementRequest,
): Promise<GetGiftCardMovementResponse> {
  const { brand } = brandOf(context, request.brand)
  const fromMs = request.from?.getTime() ?? Number.NEGATIVE_INFINITY
  const untilMs = request.until?.getTime() ?? Number.POSITIVE_INFINITY
  if (fromMs >= untilMs) throw invalidArgument('until', 'must be after from')
  return context.database.transaction(async (tx) => {
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    const sums = await sumGiftCards(tx, brand, { fromMs, untilMs })
    const blockedMinor = await sumBlocked(tx, brand)
    const moved = (kind: MoneyKind) => sums.find((one) => one.kind === kind)?.withinMinor ?? 0n
    // What is owed is minus in the books.
    const openingMinor = -sum(sums.map(({ beforeMinor }) => beforeMinor))
    return {
      openingMinor,
      soldMinor: -moved('gift_sale'),
      reloadedMinor: -moved('gift_reload'),
      usedMinor: moved('gift_use'),
      returnedMinor: -moved('gift_return'),
      expiredMinor: moved('gift_expire'),
      refundedMinor: moved('gift_refund'),
      closingMinor: openingMinor - sum(sums.map(({ withinMinor }) => withinMinor)),
      blockedMinor,
    }
  })
}
