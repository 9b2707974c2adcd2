import type { BrandDirectory, BrandInfo, Sql } from '@stampede/platform'
import { localDay } from '../domain/calendar.ts'
import type { DiscountedBasket } from '../domain/discounts/basket.ts'
import { type PricesAt, pricesAt, type UsedLine, unitsUsed } from '../domain/discounts/member-prices.ts'
import type { Programme } from '../domain/programme.ts'
import { brandIdText } from '../store/keys.ts'
import { readMemberPrices, type StoredPrice } from '../store/prices/prices.ts'
import { insertPriceUses, type MemberDay, type PriceUse, readPriceUses } from '../store/prices/uses.ts'
import type { Item, ItemRequest } from './item.ts'
import { businessDayOf } from './tiers.ts'
import type { WorkingSet } from './working-set.ts'

type SaleRequest = Extract<ItemRequest, { kind: 'sale' }>

/** Prices of members' own in work. */
export interface WorkingPrices {
  /** By brand and member. */
  readonly prices: ReadonlyMap<string, readonly StoredPrice[]>
  /** By brand, member and day; those of this flush among them. */
  readonly uses: Map<string, readonly PriceUse[]>
  readonly newUses: PriceUse[]
}

/** Reads the prices of the members who buy something, of brands that have any; their accounts are locked. */
export async function loadPrices(
  tx: Sql,
  items: readonly Item[],
  programmes: ReadonlyMap<string, readonly Programme[]>,
  brands: Pick<BrandDirectory, 'get'>,
): Promise<WorkingPrices> {
  const sales = items.flatMap(({ brand, memberId, request }) => {
    const hasPrices = (programmes.get(brand) ?? []).some(({ priceSets }) => priceSets !== undefined)
    if (request.kind !== 'sale' || !hasPrices) return []
    const day = localDay(request.occurredAtMs, brands.get(brand)?.timeZone ?? 'UTC')
    return [{ brand, memberId, day, occurredAtMs: request.occurredAtMs }]
  })
  const firstMs = sales.reduce((first, { occurredAtMs }) => Math.min(first, occurredAtMs), Number.POSITIVE_INFINITY)
  const prices = Number.isFinite(firstMs) ? await readMemberPrices(tx, sales, firstMs) : []
  const priced = new Set(prices.map(({ brand, memberId }) => brandIdText(brand, memberId)))
  const uses = await readPriceUses(
    tx,
    sales.filter(({ brand, memberId }) => priced.has(brandIdText(brand, memberId))),
  )
  return {
    prices: Map.groupBy(prices, ({ brand, memberId }) => brandIdText(brand, memberId)),
    uses: Map.groupBy(uses, dayText),
    newUses: [],
  }
}

/** The member's own prices at a sale; undefined where the programme has none. */
export function pricesOf(
  set: WorkingSet,
  { brand, memberId }: Item,
  { occurredAtMs }: SaleRequest,
  { priceSets }: Programme,
  { timeZone }: BrandInfo,
): PricesAt | undefined {
  if (priceSets === undefined) return undefined
  const stored = set.prices.prices.get(brandIdText(brand, memberId)) ?? []
  const day = localDay(occurredAtMs, timeZone)
  const uses = (set.prices.uses.get(dayText({ brand, memberId, day })) ?? []).flatMap((use) => newest(set, use))
  const prices = stored.map(({ price }) => price)
  return pricesAt(prices, priceSets, occurredAtMs, (sku) => unitsUsed(uses, sku))
}

/** Notes what a posted sale has sold at the member's own prices. */
export function usePrices(
  { prices }: WorkingSet,
  { brand, memberId }: Item,
  receiptId: string,
  { ownPriced, lines }: DiscountedBasket,
): void {
  if (ownPriced.length === 0) return
  const used = ownPriced.map((one) => ({ ...one, quantity: lines[one.lineIndex]?.quantity ?? 1n, returned: 0n }))
  const use = { brand, memberId, day: businessDayOf(receiptId), receiptId, lines: used }
  prices.newUses.push(use)
  prices.uses.set(dayText(use), [...(prices.uses.get(dayText(use)) ?? []), use])
}

/** Writes what was sold at members' own prices. */
export async function writeWorkingPrices(tx: Sql, { prices }: WorkingSet): Promise<void> {
  await insertPriceUses(tx, prices.newUses)
}

/** Lines of a use with what this flush has returned of its sale. */
function newest(set: WorkingSet, { brand, receiptId, lines }: PriceUse): readonly UsedLine[] {
  const sale = set.sales.get(brandIdText(brand, receiptId))
  if (sale === undefined) return lines
  return lines.map((line) => ({ ...line, returned: sale.record.lines[line.lineIndex]?.returned ?? 0n }))
}

function dayText({ brand, memberId, day }: MemberDay): string {
  return `${brand}/${memberId}/${day}`
}
