import { checkText, checkUuid, failedPrecondition, type Sql, StampedeError, writeOutbox } from '@stampede/platform'
import type { Coupon as CouponMessage } from '@stampede/proto/coupons/v1'
import { campaignOf } from '../../campaign-message.ts'
import type { LedgerContext } from '../../context.ts'
import { localDay } from '../../domain/calendar.ts'
import { normalizeCode } from '../../domain/coupons/codes.ts'
import { type Coupon, type CouponCampaign, type CouponUse, endOf, refusalOf } from '../../domain/coupons/coupon.ts'
import { couponEvents } from '../../events.ts'
import { readCampaign } from '../../store/coupons/campaigns.ts'
import { countMemberUses, type StoredCoupon } from '../../store/coupons/coupons.ts'
import { brandOf, NUMBER_CHARACTERS_MAX } from '../checks.ts'

const CODE_CHARACTERS = { min: 4, max: 64 }
const REFERENCE_CHARACTERS = { min: 1, max: 128 }
/** Characters of a code that tell a guesser's series. */
const PREFIX_CHARACTERS = 5

/** Somebody who shows a code, checked. */
export interface CodeShown {
  readonly brand: string
  readonly timeZone: string
  /** Normalized. */
  readonly code: string
  readonly use: CouponUse
}

/** Checks what all calls about a code have in common. */
export function checkShown(
  context: LedgerContext,
  request: {
    readonly brand: string
    readonly code: string
    readonly memberId: string
    readonly storeId: string
    readonly reference?: string
  },
): CodeShown {
  const { brand, timeZone } = brandOf(context, request.brand)
  return {
    brand,
    timeZone,
    code: normalizeCode(checkText(request.code, 'code', CODE_CHARACTERS)),
    use: {
      memberId: request.memberId === '' ? undefined : checkUuid(request.memberId, 'member_id'),
      storeId: checkText(request.storeId, 'store_id', { max: NUMBER_CHARACTERS_MAX }),
      reference: request.reference === undefined ? '' : checkText(request.reference, 'reference', REFERENCE_CHARACTERS),
      nowMs: context.clock.nowMs(),
    },
  }
}

/** Finds the coupon of a code by `find`; a miss is counted, and after too many of them nothing is looked up. */
export async function findShown(
  context: LedgerContext,
  { brand, code, use }: CodeShown,
  find: () => Promise<StoredCoupon | undefined>,
  field = 'code',
): Promise<StoredCoupon> {
  const names = [
    `${brand} code ${code.slice(0, PREFIX_CHARACTERS)}`,
    ...(use.memberId === undefined ? [] : [`${brand} member ${use.memberId}`]),
    ...(use.storeId === '' ? [] : [`${brand} store ${use.storeId}`]),
  ]
  if (context.misses.isExhausted(names, use.nowMs)) {
    throw new StampedeError('RESOURCE_EXHAUSTED', 'too many wrong codes, try again in a minute', { field })
  }
  const coupon = await find()
  const isForeign = coupon?.memberId !== undefined && coupon.memberId !== use.memberId && use.memberId !== undefined
  if (coupon !== undefined && coupon.state !== 'voided' && !isForeign) return coupon
  context.misses.miss(names, use.nowMs)
  throw new StampedeError('COUPON_INVALID', undefined, { field })
}

/** The campaign of a coupon, in force now. */
export async function campaignOfCoupon(sql: Sql, brand: string, campaignId: string): Promise<CouponCampaign> {
  const stored = await readCampaign(sql, brand, campaignId)
  if (stored === undefined) throw failedPrecondition('the campaign is not there')
  return campaignOf(stored.message)
}

/** Throws what keeps a coupon from being used; `earlier` are coupons of its campaign that are shown beside it. */
export async function checkUsable(
  tx: Sql,
  coupon: StoredCoupon,
  campaign: CouponCampaign,
  use: CouponUse,
  { earlier = 0n, field = 'code' }: { readonly earlier?: bigint; readonly field?: string } = {},
): Promise<void> {
  const refusal = refusalOf(coupon, campaign, use)
  switch (refusal) {
    case undefined:
      break
    case 'invalid':
      throw new StampedeError('COUPON_INVALID', undefined, { field })
    case 'used':
    case 'reserved':
      throw new StampedeError('COUPON_USED', `this coupon is ${refusal}`, { field })
    case 'not_yet':
    case 'expired':
    case 'other_store':
      throw failedPrecondition(`the coupon is not valid here and now: ${refusal}`)
  }
  if (campaign.usesPerMember === undefined || use.memberId === undefined) return
  const name = `${coupon.brand}/${use.memberId}/${campaign.campaignId}`
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ledger.coupon-uses.' || $1, 0))`, [name])
  const uses = await countMemberUses(tx, coupon.brand, use.memberId, campaign.campaignId)
  if (uses + earlier >= campaign.usesPerMember) {
    throw new StampedeError('COUPON_USED', 'the member has used as many of these as allowed', { field })
  }
}

/** The part of the budget that a store's day has. */
export function scopeOf({ use, timeZone }: CodeShown): string {
  return `${use.storeId}/${localDay(use.nowMs, timeZone)}`
}

/** A coupon as callers see it. */
export function couponMessage(coupon: Coupon, campaign: CouponCampaign, nowMs: number): CouponMessage {
  const endMs = endOf(coupon, campaign)
  const isOpen = coupon.state !== 'redeemed' && coupon.state !== 'voided'
  const isLocked = isOpen && coupon.lockedBy !== '' && coupon.lockedUntilMs > nowMs
  const shown = isLocked ? 'locked' : coupon.state
  return {
    couponId: coupon.couponId,
    campaignId: coupon.campaignId,
    code: coupon.code,
    memberId: coupon.memberId ?? '',
    state: isOpen && endMs <= nowMs ? 'expired' : shown,
    uses: coupon.uses,
    validUntil: Number.isFinite(endMs) ? new Date(endMs) : undefined,
  }
}

/** Puts the state of members' coupons into the outbox. */
export async function tellCoupons(
  tx: Sql,
  coupons: readonly StoredCoupon[],
  campaign: CouponCampaign,
  now: Date,
): Promise<void> {
  await writeOutbox(tx, couponEvents(coupons, campaign, now))
}
