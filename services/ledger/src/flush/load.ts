import type { BrandDirectory, Sql } from '@stampede/platform'
import { localDay, monthOf } from '../domain/calendar.ts'
import type { MissLimiter } from '../domain/coupons/miss-limiter.ts'
import type { Programme } from '../domain/programme.ts'
import type { SaleRecord } from '../domain/sale.ts'
import { stampCurrency } from '../domain/stamps/card.ts'
import { firstDayLookedAt } from '../domain/tiers/windows.ts'
import { readAccounts } from '../store/accounts.ts'
import { readAdjustments } from '../store/adjustments.ts'
import { type EventKey, eventText, readEventGrants } from '../store/event-grants.ts'
import { readHolds, readOpenHolds } from '../store/holds.ts'
import { readAnswers } from '../store/idempotency.ts'
import { type AccountKey, type BrandId, brandIdText, POINTS, pointsOf } from '../store/keys.ts'
import { readLiveLots, readLots } from '../store/lots.ts'
import { offlineText, readOfflineDays } from '../store/offline-days.ts'
import { type NaturalKey, naturalText, readKnownReceipts, readSales, type StoredSale } from '../store/receipts.ts'
import { readStamps, type StampReceipt, stampText } from '../store/stamps.ts'
import { readMemberDays, readMemberTiers } from '../store/tiers.ts'
import { loadBenefits } from './benefits.ts'
import { loadCoupons } from './coupons.ts'
import { loadGiftCards } from './gift-cards.ts'
import type { Item } from './item.ts'
import { offlineDayOf } from './offline.ts'
import { loadPrices } from './prices.ts'
import { loadRewards } from './rewards.ts'
import { stampCurrencies } from './stamps.ts'
import { assembleTiers, type WorkingTier } from './tiers.ts'
import { answerText, assembleAccounts, type WorkingSet } from './working-set.ts'

/** What loading needs besides the items. */
export interface LoadContext {
  readonly nowMs: number
  readonly newId: (atMs?: number) => string
  readonly brands: Pick<BrandDirectory, 'get'>
  /** All versions of the brands. */
  readonly programmes: ReadonlyMap<string, readonly Programme[]>
  readonly misses: MissLimiter
}

/** Reads all that the items may need in a constant number of statements; their accounts are locked already. */
export async function loadWorkingSet(
  tx: Sql,
  keys: readonly AccountKey[],
  items: readonly Item[],
  context: LoadContext,
): Promise<WorkingSet> {
  const [
    rows,
    sales,
    liveLots,
    openHolds,
    namedHolds,
    { answers, naturals },
    grants,
    adjustments,
    stamps,
    offlineDays,
  ] = await Promise.all([
    readAccounts(tx, keys),
    readSales(tx, items.flatMap(saleNamed)),
    readLiveLots(tx, keys),
    readOpenHolds(tx, keys),
    readHolds(tx, items.flatMap(holdNamed)),
    loadAnswers(tx, items, context.brands),
    readEventGrants(tx, items.flatMap(eventNamed)),
    readAdjustments(tx, items.flatMap(adjustmentNamed)),
    readStamps(tx, items.flatMap(saleNamed)),
    readOfflineDays(
      tx,
      items.flatMap((item) => offlineDayOf(item, context.brands.get(item.brand)) ?? []),
    ),
  ])
  const { programmes } = context
  const giftCards = await loadGiftCards(tx, items)
  const prices = await loadPrices(tx, items, programmes, context.brands)
  const coupons = await loadCoupons(tx, items, context)
  const benefits = await loadBenefits(tx, items, programmes)
  const rewards = await loadRewards(tx, items)
  const tiers = await loadTiers(tx, keys, programmes, context.nowMs)
  const named = [...sales.flatMap(lotsOfSale), ...stamps.flatMap(lotsOfStamps), ...rewards.lots]
  const lots = [...liveLots, ...(await readLots(tx, named))]
  const holds = [...openHolds, ...namedHolds]
  return {
    ...context,
    accounts: assembleAccounts(keys, rows, lots, holds),
    sales: new Map(sales.map((sale) => [brandIdText(sale.brand, sale.record.receiptId), sale])),
    changedSales: new Set(),
    answers,
    naturals,
    newAnswers: [],
    coupons,
    benefits,
    rewards,
    mintedCoupons: [],
    stamps: new Map(stamps.map((one) => [stampText(one), one])),
    changedStamps: new Set(),
    giftCards,
    prices,
    tiers,
    eventGrants: new Map(grants.map((grant) => [eventText(grant), grant])),
    changedGrants: new Set(),
    adjustments: new Map(adjustments.map((one) => [brandIdText(one.brand, one.adjustmentId), one])),
    changedAdjustments: new Set(),
    receipts: [],
    offlineDays: new Map(offlineDays.map((day) => [offlineText(day), day])),
    changedOfflineDays: new Set(),
    donations: [],
    moneyPostings: [],
  }
}

function countsDays({ ladder, discountRules }: Programme): boolean {
  return ladder !== undefined || discountRules.some(({ spent }) => spent !== undefined)
}

/** Tiers and days of the members of brands that count them or did. */
async function loadTiers(
  tx: Sql,
  keys: readonly AccountKey[],
  programmes: ReadonlyMap<string, readonly Programme[]>,
  nowMs: number,
): Promise<ReadonlyMap<string, WorkingTier>> {
  const tiered = keys.filter(
    ({ brand, currency }) => currency === POINTS && (programmes.get(brand) ?? []).some(countsDays),
  )
  if (tiered.length === 0) return new Map()
  const [tiers, days] = await Promise.all([
    readMemberTiers(tx, tiered),
    readMemberDays(tx, tiered, firstDayLookedAt(nowMs)),
  ])
  return assembleTiers(tiered, tiers, days)
}

async function loadAnswers(
  tx: Sql,
  items: readonly Item[],
  brands: Pick<BrandDirectory, 'get'>,
): Promise<Pick<WorkingSet, 'answers' | 'naturals'>> {
  if (items.length === 0) return { answers: new Map(), naturals: new Map() }
  const keys = items.map((item) => ({ brand: item.brand, key: item.idempotencyKey }))
  const naturals = items.flatMap((item) => naturalKeyOf(item, brands) ?? [])
  const [answers, known] = await Promise.all([readAnswers(tx, keys), readKnownReceipts(tx, naturals)])
  return {
    answers: new Map(
      answers.map(({ brand, key, bodyHash, response }) => [
        answerText(brand, key),
        { bodyHash, response, causeId: null },
      ]),
    ),
    naturals: new Map(
      known.map(({ natural, contentHash, response, receiptId }) => [
        naturalText(natural),
        { bodyHash: contentHash, response, causeId: receiptId },
      ]),
    ),
  }
}

/** The natural key of an item; undefined for a hold's, or when the brand is not known. */
export function naturalKeyOf(item: Item, brands: Pick<BrandDirectory, 'get'>): NaturalKey | undefined {
  const { brand, request } = item
  const timeZone = brands.get(brand)?.timeZone
  if (timeZone === undefined || (request.kind !== 'sale' && request.kind !== 'return')) return undefined
  const businessDay = localDay(request.occurredAtMs, timeZone)
  const day = { businessDay, month: monthOf(businessDay) }
  if (request.kind === 'return') {
    return { brand, kind: 'return', storeId: '', tillId: '', ...day, number: request.returnId }
  }
  return { brand, kind: 'sale', storeId: request.storeId, tillId: request.tillId, ...day, number: request.number }
}

/** The accounts that an item may touch; a receipt's those of all stamp cards that its brand has or had. */
export function accountsOf(item: Item, programmes: ReadonlyMap<string, readonly Programme[]>): readonly AccountKey[] {
  const { brand, memberId, request } = item
  if (request.kind === 'sale' || request.kind === 'return') {
    const stamps = stampCurrencies(programmes.get(brand) ?? [])
    return [pointsOf(item), ...stamps.map((currency) => ({ brand, memberId, currency }))]
  }
  if (request.kind !== 'transfer') return [pointsOf(item)]
  return [pointsOf(item), pointsOf({ brand, memberId: request.toMemberId })]
}

function eventNamed({ brand, memberId, request }: Item): readonly EventKey[] {
  if (request.kind !== 'grant' && request.kind !== 'correct') return []
  return [{ brand, memberId, eventKey: request.eventKey }]
}

function adjustmentNamed({ brand, request }: Item): readonly BrandId[] {
  return request.kind === 'resolve' ? [{ brand, id: request.adjustmentId }] : []
}

function saleNamed(item: Item): readonly BrandId[] {
  return item.request.kind === 'return' ? [{ brand: item.brand, id: item.request.saleId }] : []
}

function holdNamed(item: Item): readonly BrandId[] {
  const { request } = item
  if (request.kind === 'commit' || request.kind === 'cancel') return [{ brand: item.brand, id: request.holdId }]
  if (request.kind === 'undo') return [{ brand: item.brand, id: request.donationId }]
  return request.kind === 'sale' && request.holdId !== '' ? [{ brand: item.brand, id: request.holdId }] : []
}

function lotsOfStamps({ brand, memberId, cardId, record }: StampReceipt) {
  return lotsOf({ brand, memberId, currency: stampCurrency(cardId) }, record)
}

function lotsOfSale(sale: StoredSale): readonly (AccountKey & { readonly lotId: string })[] {
  return lotsOf(pointsOf(sale), sale.record)
}

function lotsOf(key: AccountKey, record: SaleRecord) {
  const ids = [...record.spendDraws, ...record.reverseDraws].map((draw) => draw.lotId)
  if (record.lotId !== null) ids.push(record.lotId)
  return ids.map((lotId) => ({ ...key, lotId }))
}
