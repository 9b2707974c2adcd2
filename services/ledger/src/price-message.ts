import type { MemberPrice as PriceMessage } from '@stampede/proto/prices/v1'
import type { MemberPrice } from './domain/discounts/member-prices.ts'

/** A price of a member's own as callers see it. */
export function priceMessage({ priceId, kind, fromMs, untilMs, items }: MemberPrice): PriceMessage {
  return { priceId, kind, from: new Date(fromMs), until: new Date(untilMs), items: [...items] }
}
