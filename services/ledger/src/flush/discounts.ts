import { type BrandInfo, StampedeError } from '@stampede/platform'
import { localDay } from '../domain/calendar.ts'
import { type DiscountedBasket, discountBasket, type ShownCoupon } from '../domain/discounts/basket.ts'
import type { PricesAt } from '../domain/discounts/member-prices.ts'
import type { Programme } from '../domain/programme.ts'
import { sum } from '../domain/shares.ts'
import type { ShownCard } from '../domain/stamps/card.ts'
import { type QualifyingDay, type TierState, tierAt } from '../domain/tiers/ladder.ts'
import { spentBefore } from '../domain/tiers/windows.ts'
import type { ItemRequest } from './item.ts'

type SaleRequest = Extract<ItemRequest, { kind: 'sale' }>

/** What is known of a member for discounts. */
export interface DiscountedMember {
  readonly state: TierState | undefined
  readonly days: readonly QualifyingDay[]
}

/** The basket of a sale or quote after its discounts; throws when it comes to another price than the till expects. */
export function discountSale(
  request: Pick<SaleRequest, 'lines' | 'storeId' | 'occurredAtMs' | 'tags' | 'tender' | 'expectedTotalMinor'>,
  programme: Programme,
  member: DiscountedMember,
  more: Pick<BrandInfo, 'timeZone'> & {
    readonly coupons: readonly ShownCoupon[]
    /** Undefined: the programme has none. */
    readonly prices: PricesAt | undefined
    readonly cards: readonly ShownCard[]
  },
): DiscountedBasket {
  const { timeZone, coupons, prices, cards } = more
  const { lines, storeId, occurredAtMs: atMs, tags, tender, expectedTotalMinor } = request
  const today = localDay(atMs, timeZone)
  const facts = {
    storeId,
    atMs,
    timeZone,
    tierId: tierAt(member.state, atMs),
    tags: new Set(tags),
    tender,
    spentMinor: ({ months }: { readonly months: number }) => spentBefore(member.days, months, today),
  }
  const { discountRules, discountLimits: limits } = programme
  const basket = discountBasket(lines, discountRules, facts, { coupons, limits, prices, cards })
  const total = sum(basket.lines.map(({ amountMinor }) => amountMinor))
  if (expectedTotalMinor !== undefined && expectedTotalMinor !== total) {
    const message = `the receipt comes to ${total} now: ask for a quote again`
    throw new StampedeError('FAILED_PRECONDITION', message, { field: 'expected_total_minor' })
  }
  return basket
}
