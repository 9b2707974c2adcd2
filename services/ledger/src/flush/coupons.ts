import { type BrandInfo, failedPrecondition, type Sql, StampedeError } from '@stampede/platform'
import { campaignOf } from '../campaign-message.ts'
import { endOfLife, localDay } from '../domain/calendar.ts'
import { type CouponCampaign, type CouponUse, refusalOf, stateAfter } from '../domain/coupons/coupon.ts'
import type { DiscountedBasket, ShownCoupon } from '../domain/discounts/basket.ts'
import { sum } from '../domain/shares.ts'
import {
  type BudgetRow,
  type BudgetShare,
  budgetText,
  checkBudget,
  lockBudgets,
  partsAfter,
  writeBudgets,
} from '../store/coupons/budget.ts'
import {
  type CouponUseRow,
  countMemberUses,
  insertCoupons,
  lockedShares,
  type StoredCoupon,
} from '../store/coupons/coupons.ts'
import {
  insertUses,
  lockCoupons,
  type ReceiptUse,
  readCampaigns,
  readUsesOf,
  undoUses,
  writeCoupons,
} from '../store/coupons/sets.ts'
import { brandIdText } from '../store/keys.ts'
import type { Item, ItemRequest } from './item.ts'
import type { WorkingSet } from './working-set.ts'

/** Days that a coupon is valid again after its receipt was returned as a whole, at least. */
const GRACE_DAYS = 14

type SaleRequest = Extract<ItemRequest, { kind: 'sale' }>

/** Coupons in work: those that the items name, and those of the sales that they return. */
export interface WorkingCoupons {
  readonly coupons: Map<string, StoredCoupon>
  readonly campaigns: ReadonlyMap<string, CouponCampaign>
  readonly budgets: Map<string, BudgetRow>
  /** Uses of a campaign by a member so far. */
  readonly memberUses: Map<string, bigint>
  /** By sale: the codes that it used. */
  readonly usesOf: ReadonlyMap<string, readonly ReceiptUse[]>
  readonly changed: Set<string>
  readonly changedBudgets: Set<string>
  readonly newUses: CouponUseRow[]
  readonly undone: { readonly brand: string; readonly couponId: string; readonly reference: string }[]
}

/** Locks and reads the coupons of the items; their accounts are locked already. */
export async function loadCoupons(
  tx: Sql,
  items: readonly Item[],
  { nowMs, brands, programmes }: Pick<WorkingSet, 'nowMs' | 'brands' | 'programmes'>,
): Promise<WorkingCoupons> {
  const named = items.flatMap(({ brand, request }) =>
    request.kind === 'sale' ? request.couponCodes.map((code) => ({ brand, code })) : [],
  )
  const returned = items.flatMap(({ brand, request }) =>
    request.kind === 'return' ? [{ brand, id: request.saleId }] : [],
  )
  const used = await readUsesOf(tx, returned)
  const coupons = await lockCoupons(tx, [...named, ...used])
  const campaigns = await readCampaigns(tx, [...coupons, ...rewardsOf(items, programmes)])
  const byText = new Map(
    campaigns.map(({ brand, message }) => [brandIdText(brand, message.campaignId), campaignOf(message)]),
  )
  const memberUses = await loadMemberUses(tx, items, coupons, byText)
  const budgets = await lockBudgets(tx, [
    ...coupons.map(({ brand, campaignId }) => ({ brand, campaignId, scope: '' })),
    ...items.flatMap((item) => storeDays(item, coupons, { nowMs, timeZone: brands.get(item.brand)?.timeZone })),
    ...used.flatMap(({ brand, code, scope }) => {
      const coupon = coupons.find((one) => one.brand === brand && one.code === code)
      return coupon === undefined ? [] : [{ brand, campaignId: coupon.campaignId, scope }]
    }),
  ])
  return {
    coupons: new Map(coupons.map((coupon) => [brandIdText(coupon.brand, coupon.code), coupon])),
    campaigns: byText,
    budgets: new Map(budgets.map((budget) => [budgetText(budget), budget])),
    memberUses,
    usesOf: Map.groupBy(used, ({ brand, receiptId }) => brandIdText(brand, receiptId)),
    changed: new Set(),
    changedBudgets: new Set(),
    newUses: [],
    undone: [],
  }
}

/** Campaigns of the coupons that full stamp cards of the items' brands give. */
function rewardsOf(items: readonly Item[], programmes: WorkingSet['programmes']) {
  const brands = new Set(items.flatMap(({ brand, request }) => (request.kind === 'sale' ? brand : [])))
  return [...brands].flatMap((brand) =>
    (programmes.get(brand) ?? []).flatMap(({ stampCards }) =>
      stampCards.flatMap(({ rewardCampaignId: campaignId }) => (campaignId === undefined ? [] : { brand, campaignId })),
    ),
  )
}

function storeDays(
  { brand, request }: Item,
  coupons: readonly StoredCoupon[],
  { nowMs, timeZone = 'UTC' }: { readonly nowMs: number; readonly timeZone: string | undefined },
) {
  if (request.kind !== 'sale' || request.couponCodes.length === 0) return []
  const own = coupons.filter((coupon) => coupon.brand === brand && request.couponCodes.includes(coupon.code))
  const scope = `${request.storeId}/${localDay(nowMs, timeZone)}`
  return own.flatMap(({ campaignId, lockedScope, lockedBy }) => [
    { brand, campaignId, scope },
    ...(lockedBy === '' ? [] : [{ brand, campaignId, scope: lockedScope }]),
  ])
}

async function loadMemberUses(
  tx: Sql,
  items: readonly Item[],
  coupons: readonly StoredCoupon[],
  campaigns: ReadonlyMap<string, CouponCampaign>,
): Promise<Map<string, bigint>> {
  const wanted = new Map<string, { readonly brand: string; readonly memberId: string; readonly campaignId: string }>()
  for (const { brand, memberId, request } of items) {
    if (request.kind !== 'sale') continue
    for (const coupon of coupons) {
      if (coupon.brand !== brand || !request.couponCodes.includes(coupon.code)) continue
      const { campaignId } = coupon
      if (campaigns.get(brandIdText(brand, campaignId))?.usesPerMember === undefined) continue
      wanted.set(memberText(brand, memberId, campaignId), { brand, memberId, campaignId })
    }
  }
  const uses = new Map<string, bigint>()
  for (const text of [...wanted.keys()].sort()) {
    const one = wanted.get(text)
    if (one === undefined) continue
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ledger.coupon-uses.' || $1, 0))`, [text])
    uses.set(text, await countMemberUses(tx, one.brand, one.memberId, one.campaignId))
  }
  return uses
}

/** The coupons that a sale shows; throws what keeps one from being used, by its place. */
export function shownCoupons(set: WorkingSet, item: Item, request: SaleRequest): readonly ShownCoupon[] {
  const shown = new Map<string, bigint>()
  return request.couponCodes.map((code, index) => {
    const field = `coupon_codes[${index}]`
    const coupon = set.coupons.coupons.get(brandIdText(item.brand, code))
    const campaign = coupon && set.coupons.campaigns.get(brandIdText(item.brand, coupon.campaignId))
    if (coupon === undefined || campaign === undefined) throw invalidCoupon(set, item, request, code, field)
    const { memberId } = item
    const use: CouponUse = { memberId, storeId: request.storeId, reference: request.couponReference, nowMs: set.nowMs }
    const refusal = refusalOf(coupon, campaign, use)
    if (refusal === 'invalid') throw invalidCoupon(set, item, request, code, field)
    if (refusal === 'used' || refusal === 'reserved') {
      throw new StampedeError('COUPON_USED', `this coupon is ${refusal}`, { field })
    }
    if (refusal !== undefined)
      throw new StampedeError('FAILED_PRECONDITION', `the coupon is not valid: ${refusal}`, { field })
    const earlier = shown.get(campaign.campaignId) ?? 0n
    shown.set(campaign.campaignId, earlier + 1n)
    const uses = (set.coupons.memberUses.get(memberText(item.brand, memberId, campaign.campaignId)) ?? 0n) + earlier
    if (campaign.usesPerMember !== undefined && uses >= campaign.usesPerMember) {
      throw new StampedeError('COUPON_USED', 'the member has used as many of these as allowed', { field })
    }
    return { code, campaign }
  })
}

function invalidCoupon(
  set: WorkingSet,
  item: Item,
  { storeId }: SaleRequest,
  code: string,
  field: string,
): StampedeError {
  const names = [
    `${item.brand} code ${code.slice(0, 5)}`,
    `${item.brand} member ${item.memberId}`,
    `${item.brand} store ${storeId}`,
  ]
  const isExhausted = set.misses.isExhausted(names, set.nowMs)
  set.misses.miss(names, set.nowMs)
  if (!isExhausted) return new StampedeError('COUPON_INVALID', undefined, { field })
  return new StampedeError('RESOURCE_EXHAUSTED', 'too many wrong codes, try again in a minute', { field })
}

/** What the use of coupons will change; prepared before the sale is posted, as it may be refused. */
export interface CouponPlan {
  readonly coupons: readonly StoredCoupon[]
  readonly budgets: readonly BudgetRow[]
  readonly uses: readonly Omit<CouponUseRow, 'reference'>[]
}

/** Plans the use of what a basket was given; throws when a budget has no room, or a coupon gave nothing. */
export function planCoupons(
  set: WorkingSet,
  item: Item,
  request: SaleRequest,
  basket: DiscountedBasket,
  { timeZone }: BrandInfo,
): CouponPlan {
  const coupons: StoredCoupon[] = []
  const uses: Omit<CouponUseRow, 'reference'>[] = []
  const budgets = new Map<string, BudgetRow>()
  const scope = `${request.storeId}/${localDay(set.nowMs, timeZone)}`
  for (const [index, code] of request.couponCodes.entries()) {
    const field = `coupon_codes[${index}]`
    const coupon = set.coupons.coupons.get(brandIdText(item.brand, code))
    const campaign = coupon && set.coupons.campaigns.get(brandIdText(item.brand, coupon.campaignId))
    if (coupon === undefined || campaign === undefined) continue
    const given = basket.given.find((one) => one.code === code)
    if (given === undefined)
      throw new StampedeError('FAILED_PRECONDITION', 'the coupon takes nothing off this receipt', { field })
    const moneyMinor = sum(given.parts)
    for (const share of lockedShares(coupon)) count(set, budgets, share, 'give_back')
    const share = { brand: coupon.brand, campaignId: coupon.campaignId, scope, moneyMinor }
    checkBudget(campaign, count(set, budgets, share, 'use'), field)
    const used = coupon.uses + 1n
    const unlocked = { lockedBy: '', lockedUntilMs: 0, lockedMoneyMinor: 0n, lockedScope: '' }
    const state = stateAfter(coupon, used, campaign.usesPerCode)
    coupons.push({ ...coupon, ...unlocked, uses: used, state, version: coupon.version + 1n })
    const { brand, memberId } = item
    const { couponId, campaignId } = coupon
    uses.push({ brand, couponId, campaignId, memberId, storeId: request.storeId, moneyMinor, scope })
  }
  return { coupons, budgets: [...budgets.values()], uses }
}

function count(
  set: WorkingSet,
  budgets: Map<string, BudgetRow>,
  share: BudgetShare,
  change: 'use' | 'give_back',
): readonly BudgetRow[] {
  const parts = partsAfter(share, change, (text) => budgets.get(text) ?? set.coupons.budgets.get(text))
  for (const part of parts) budgets.set(budgetText(part), part)
  return parts
}

/** Takes a plan over: the sale is posted. */
export function useCoupons(set: WorkingSet, plan: CouponPlan, receiptId: string): void {
  takeOver(set, plan)
  for (const use of plan.uses) {
    set.coupons.newUses.push({ ...use, reference: receiptId })
    const text = memberText(use.brand, use.memberId ?? '', use.campaignId)
    set.coupons.memberUses.set(text, (set.coupons.memberUses.get(text) ?? 0n) + 1n)
  }
}

/** Makes the coupons of a sale that was returned as a whole valid again. */
export function giveCouponsBack(set: WorkingSet, brand: BrandInfo, saleId: string): void {
  for (const use of set.coupons.usesOf.get(brandIdText(brand.brand, saleId)) ?? []) {
    const coupon = set.coupons.coupons.get(brandIdText(use.brand, use.code))
    const campaign = coupon && set.coupons.campaigns.get(brandIdText(use.brand, coupon.campaignId))
    if (coupon === undefined || campaign === undefined) throw failedPrecondition('the campaign is not there')
    const budgets = new Map<string, BudgetRow>()
    const { brand: slug, scope, moneyMinor } = use
    count(set, budgets, { brand: slug, campaignId: coupon.campaignId, scope, moneyMinor }, 'give_back')
    const uses = coupon.uses - 1n
    const graceUntilMs = Math.max(coupon.graceUntilMs, endOfLife(set.nowMs, GRACE_DAYS, brand.timeZone))
    const state = coupon.state === 'voided' ? 'voided' : stateAfter(coupon, uses, campaign.usesPerCode)
    const restored = { ...coupon, uses, state, graceUntilMs, version: coupon.version + 1n } as const
    takeOver(set, { coupons: [restored], budgets: [...budgets.values()] })
    const member = memberText(use.brand, use.memberId, coupon.campaignId)
    const memberUses = set.coupons.memberUses.get(member)
    if (memberUses !== undefined) set.coupons.memberUses.set(member, memberUses - 1n)
    set.coupons.undone.push({ brand: use.brand, couponId: coupon.couponId, reference: saleId })
  }
}

function takeOver(
  { coupons: working }: WorkingSet,
  { coupons, budgets }: Pick<CouponPlan, 'coupons' | 'budgets'>,
): void {
  for (const coupon of coupons) {
    const text = brandIdText(coupon.brand, coupon.code)
    working.coupons.set(text, coupon)
    working.changed.add(text)
  }
  for (const budget of budgets) {
    working.budgets.set(budgetText(budget), budget)
    working.changedBudgets.add(budgetText(budget))
  }
}

/** Writes what became of the coupons. */
export async function writeWorkingCoupons(tx: Sql, { coupons, mintedCoupons, nowMs }: WorkingSet): Promise<void> {
  const now = new Date(nowMs)
  await mint(tx, mintedCoupons, now)
  await Promise.all([
    writeCoupons(
      tx,
      [...coupons.changed].flatMap((text) => coupons.coupons.get(text) ?? []),
    ),
    undoUses(tx, coupons.undone, now),
    insertUses(tx, coupons.newUses, now),
    writeBudgets(
      tx,
      [...coupons.changedBudgets].flatMap((text) => coupons.budgets.get(text) ?? []),
    ),
  ])
}

async function mint(tx: Sql, coupons: readonly StoredCoupon[], now: Date): Promise<void> {
  if (coupons.length === 0) return
  const { taken } = await insertCoupons(tx, coupons, now)
  if (taken !== undefined) throw new StampedeError('ALREADY_EXISTS', 'a new code is taken')
}

function memberText(brand: string, memberId: string, campaignId: string): string {
  return `${brand}/${memberId}/${campaignId}`
}
