import { checkBigint, checkText, checkUuid, invalidArgument } from '@stampede/platform'
import type { QuoteReceiptRequest, QuoteReceiptResponse } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import type { ShownCoupon } from '../domain/discounts/basket.ts'
import { isPayable, maxPointsForLines, priceLines, totalOf } from '../domain/pricing.ts'
import { programmeAt } from '../domain/programme.ts'
import { sum } from '../domain/shares.ts'
import { tierAt, tierOf } from '../domain/tiers/ladder.ts'
import { discountSale } from '../flush/discounts.ts'
import { noProgramme } from '../refusals.ts'
import { readAccountView } from '../store/account-view.ts'
import { readCoupon } from '../store/coupons/coupons.ts'
import { pointsOf } from '../store/keys.ts'
import { readStanding } from '../store/tier-view.ts'
import { brandOf, checkLines, checkOccurredAt, NUMBER_CHARACTERS_MAX, POINTS_MAX } from './checks.ts'
import { campaignOfCoupon, checkUsable, findShown } from './coupons/usage.ts'
import { checkDiscountAsks } from './items.ts'

/** Lines of a quote at most. */
const QUOTE_LINES_MAX = 500
const PLAIN_HUNDREDTHS = 100n

/** What a basket comes to, what it would earn and how much of it points may pay. A member nobody knows yet has no points. */
export async function quoteReceipt(
  context: LedgerContext,
  request: QuoteReceiptRequest,
): Promise<QuoteReceiptResponse> {
  const { brand, timeZone } = brandOf(context, request.brand)
  const { database } = context
  const memberId = checkUuid(request.memberId, 'member_id')
  const lines = checkLines(request.lines, 'lines', QUOTE_LINES_MAX)
  const storeId = checkText(request.storeId, 'store_id', { max: NUMBER_CHARACTERS_MAX })
  const pointsToPay = checkBigint(request.pointsToPay, 'points_to_pay', { min: 0n, max: POINTS_MAX })
  const asks = checkDiscountAsks(request, '')
  const nowMs = context.clock.nowMs()
  const { occurredAt } = request
  const atMs = occurredAt === undefined ? nowMs : checkOccurredAt(occurredAt, 'occurred_at', context.clock)
  const programme = programmeAt((await context.programmes.of(database, [brand])).get(brand) ?? [], atMs)
  if (programme === undefined) throw noProgramme()
  const member = await readStanding(database, { brand, memberId }, programme.ladder, { nowMs, timeZone })
  const coupons: ShownCoupon[] = []
  for (const code of asks.couponCodes) {
    coupons.push(await quotedCoupon(context, { brand, timeZone, memberId, storeId, code, earlier: coupons, asks }))
  }
  const sale = { lines, storeId, occurredAtMs: atMs, ...asks, expectedTotalMinor: undefined }
  const discounted = discountSale(sale, programme, member, { timeZone, coupons })
  const { account } = await readAccountView(database, pointsOf({ brand, memberId }), nowMs)
  const maxPointsPayable = maxPointsForLines(discounted.lines, programme, account.available)
  if (pointsToPay > maxPointsPayable || !isPayable(pointsToPay, programme)) {
    throw invalidArgument('points_to_pay', `must be in whole steps and not too few; at most ${maxPointsPayable} pay`)
  }
  const tier = programme.ladder && tierOf(programme.ladder, tierAt(member.state, atMs))
  const place = { storeId, atMs, tierHundredths: tier?.earnHundredths ?? PLAIN_HUNDREDTHS }
  const basket = priceLines(discounted, programme, pointsToPay, place)
  return {
    totalMinor: totalOf(discounted.lines),
    pointsToEarn: sum(basket.lines.map(({ earned }) => earned)),
    maxPointsPayable,
    available: account.available,
    lines: basket.lines.map(({ paid, earned, discountMinor }) => {
      return { pointsPaid: paid, pointsEarned: earned, discountMinor }
    }),
    explanations: [...basket.explanations],
    discountMinor: sum(discounted.discounts),
    discounts: [...discounted.steps],
  }
}

/** A coupon that a quote shows; throws what keeps it from being used. */
async function quotedCoupon(
  context: LedgerContext,
  quoted: {
    readonly brand: string
    readonly timeZone: string
    readonly memberId: string
    readonly storeId: string
    readonly code: string
    /** Shown before it. */
    readonly earlier: readonly ShownCoupon[]
    readonly asks: ReturnType<typeof checkDiscountAsks>
  },
): Promise<ShownCoupon> {
  const { brand, timeZone, code, memberId, storeId, earlier, asks } = quoted
  const use = { memberId, storeId, reference: asks.couponReference, nowMs: context.clock.nowMs() }
  const field = `coupon_codes[${earlier.length}]`
  const find = () => readCoupon(context.database, brand, code)
  const coupon = await findShown(context, { brand, timeZone, code, use }, find, field)
  const campaign = await campaignOfCoupon(context.database, brand, coupon.campaignId)
  const siblings = earlier.filter((one) => one.campaign.campaignId === campaign.campaignId).length
  await context.database.transaction((tx) =>
    checkUsable(tx, coupon, campaign, use, { earlier: BigInt(siblings), field }),
  )
  return { code, campaign }
}
