import { checkBigint, checkText, checkUuid, invalidArgument } from '@stampede/platform'
import type { QuoteReceiptRequest, QuoteReceiptResponse } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import { localDay } from '../domain/calendar.ts'
import { programmeAtStore } from '../domain/coalition.ts'
import type { ShownCoupon } from '../domain/discounts/basket.ts'
import { type PricesAt, pricesAt, unitsUsed } from '../domain/discounts/member-prices.ts'
import { isPayable, maxPointsForLines, priceLines, totalOf } from '../domain/pricing.ts'
import { type Programme, programmeAt } from '../domain/programme.ts'
import { sum } from '../domain/shares.ts'
import { countedStamps, isShown, type ShownCard, stampCurrency } from '../domain/stamps/card.ts'
import { tierAt, tierOf } from '../domain/tiers/ladder.ts'
import { asksForTags, carriedTags } from '../flush/benefits.ts'
import { checkStore } from '../flush/coalition.ts'
import { discountSale } from '../flush/discounts.ts'
import { stampsEndMs } from '../flush/stamps.ts'
import { noProgramme } from '../refusals.ts'
import { readAccountView } from '../store/account-view.ts'
import { readCoupon } from '../store/coupons/coupons.ts'
import { pointsOf } from '../store/keys.ts'
import { readMemberPrices } from '../store/prices/prices.ts'
import { readPriceUses } from '../store/prices/uses.ts'
import { readBenefits } from '../store/subscriptions/terms.ts'
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
  const inForce = programmeAt((await context.programmes.of(database, [brand])).get(brand) ?? [], atMs)
  if (inForce === undefined) throw noProgramme()
  checkStore(inForce, storeId)
  const programme = programmeAtStore(inForce, storeId)
  const member = await readStanding(database, { brand, memberId }, programme.ladder, { nowMs, timeZone })
  const coupons: ShownCoupon[] = []
  for (const code of asks.couponCodes) {
    coupons.push(await quotedCoupon(context, { brand, timeZone, memberId, storeId, code, earlier: coupons, asks }))
  }
  const cards = await quotedCards(context, programme, { brand, memberId, storeId, atMs, timeZone })
  const benefits = asksForTags([programme])
    ? await readBenefits(database, [{ brand, memberId }], new Date(atMs))
    : new Map()
  const tags = carriedTags(benefits, { brand, memberId }, { tags: asks.tags, occurredAtMs: atMs })
  const sale = { lines, storeId, occurredAtMs: atMs, ...asks, tags, expectedTotalMinor: undefined }
  const prices = await quotedPrices(context, { brand, memberId, timeZone }, programme, atMs)
  const discounted = discountSale(sale, programme, member, { timeZone, coupons, prices, cards })
  const { account } = await readAccountView(database, pointsOf({ brand, memberId }), nowMs)
  const maxPointsPayable = maxPointsForLines(discounted.lines, programme, account.available)
  if (pointsToPay > maxPointsPayable || !isPayable(pointsToPay, programme)) {
    throw invalidArgument('points_to_pay', `must be in whole steps and not too few; at most ${maxPointsPayable} pay`)
  }
  const tier = programme.ladder && tierOf(programme.ladder, tierAt(member.state, atMs))
  const place = { storeId, atMs, tierHundredths: tier?.earnHundredths ?? PLAIN_HUNDREDTHS, tags: new Set(tags) }
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

/** The member's own prices at the time of a quote; undefined where the programme has none. */
async function quotedPrices(
  { database }: LedgerContext,
  member: { readonly brand: string; readonly memberId: string; readonly timeZone: string },
  { priceSets }: Programme,
  atMs: number,
): Promise<PricesAt | undefined> {
  if (priceSets === undefined) return undefined
  const day = localDay(atMs, member.timeZone)
  const [prices, uses] = await Promise.all([
    readMemberPrices(database, [member], atMs),
    readPriceUses(database, [{ ...member, day }]),
  ])
  const own = prices.map(({ price }) => price)
  const used = uses.flatMap(({ lines }) => lines)
  return pricesAt(own, priceSets, atMs, (sku) => unitsUsed(used, sku))
}

/** The member's stamp cards as a quote sees them. */
async function quotedCards(
  { database, clock }: LedgerContext,
  { stampCards }: Programme,
  quoted: {
    readonly brand: string
    readonly memberId: string
    readonly storeId: string
    readonly atMs: number
    readonly timeZone: string
  },
): Promise<readonly ShownCard[]> {
  const { brand, memberId, storeId, atMs, timeZone } = quoted
  const nowMs = clock.nowMs()
  const shown = stampCards.filter((card) => isShown(card, storeId, atMs))
  return Promise.all(
    shown.map(async (card) => {
      const key = { brand, memberId, currency: stampCurrency(card.cardId) }
      const { account } = await readAccountView(database, key, nowMs)
      return { card, stamps: countedStamps(account), isLive: stampsEndMs(card, atMs, timeZone) > nowMs }
    }),
  )
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
