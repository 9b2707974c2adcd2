import { checkBigint, checkText, checkUuid, invalidArgument } from '@stampede/platform'
import type { QuoteReceiptRequest, QuoteReceiptResponse } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import { isPayable, maxPointsForLines, priceLines, totalOf } from '../domain/pricing.ts'
import { type Programme, programmeAt } from '../domain/programme.ts'
import { sum } from '../domain/shares.ts'
import { tierAt, tierOf } from '../domain/tiers/ladder.ts'
import { noProgramme } from '../refusals.ts'
import { readAccountView } from '../store/account-view.ts'
import { type AccountKey, pointsOf } from '../store/keys.ts'
import { readTierView } from '../store/tier-view.ts'
import { brandOf, checkLines, checkOccurredAt, NUMBER_CHARACTERS_MAX, POINTS_MAX } from './checks.ts'

/** Lines of a quote at most. */
const QUOTE_LINES_MAX = 500

/** What a basket would earn and how much of it points may pay. A member nobody knows yet has no points, as at the till. */
export async function quoteReceipt(
  context: LedgerContext,
  request: QuoteReceiptRequest,
): Promise<QuoteReceiptResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = pointsOf({ brand, memberId: checkUuid(request.memberId, 'member_id') })
  const lines = checkLines(request.lines, 'lines', QUOTE_LINES_MAX)
  const storeId = checkText(request.storeId, 'store_id', { max: NUMBER_CHARACTERS_MAX })
  const pointsToPay = checkBigint(request.pointsToPay, 'points_to_pay', { min: 0n, max: POINTS_MAX })
  const nowMs = context.clock.nowMs()
  const { occurredAt } = request
  const atMs = occurredAt === undefined ? nowMs : checkOccurredAt(occurredAt, 'occurred_at', context.clock)
  const programme = programmeAt((await context.programmes.of(context.database, [brand])).get(brand) ?? [], atMs)
  if (programme === undefined) throw noProgramme()
  const { account } = await readAccountView(context.database, key, nowMs)
  const maxPointsPayable = maxPointsForLines(lines, programme, account.available)
  if (pointsToPay > maxPointsPayable || !isPayable(pointsToPay, programme)) {
    throw invalidArgument('points_to_pay', `must be in whole steps and not too few; at most ${maxPointsPayable} pay`)
  }
  const tierHundredths = await quotedTier(context, key, programme, atMs)
  const basket = priceLines(lines, programme, pointsToPay, { storeId, atMs, tierHundredths })
  return {
    totalMinor: totalOf(lines),
    pointsToEarn: sum(basket.lines.map(({ earned }) => earned)),
    maxPointsPayable,
    available: account.available,
    lines: basket.lines.map(({ paid, earned }) => ({ pointsPaid: paid, pointsEarned: earned })),
    explanations: [...basket.explanations],
  }
}

const PLAIN_HUNDREDTHS = 100n

/** The base so many times, by the member's tier at the receipt's time. */
async function quotedTier(
  context: LedgerContext,
  key: AccountKey,
  { ladder }: Programme,
  atMs: number,
): Promise<bigint> {
  const timeZone = context.brands.get(key.brand)?.timeZone
  if (ladder === undefined || timeZone === undefined) return PLAIN_HUNDREDTHS
  const { state } = await readTierView(context.database, key, ladder, { nowMs: context.clock.nowMs(), timeZone })
  return tierOf(ladder, tierAt(state, atMs))?.earnHundredths ?? PLAIN_HUNDREDTHS
}
