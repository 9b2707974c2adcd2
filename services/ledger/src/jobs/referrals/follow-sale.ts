import { type BrandInfo, type Sql, uuidv7 } from '@stampede/platform'
import type { LedgerContext } from '../../context.ts'
import { addDays, addMonths, localDay, monthOf, startOfDay } from '../../domain/calendar.ts'
import { isCapped } from '../../domain/referrals/guards.ts'
import type { ReferralProgramme, Reward } from '../../domain/referrals/programme.ts'
import { isInTerm } from '../../domain/referrals/recurring.ts'
import { heldFor, type Purchase, type Referral, stepOf } from '../../domain/referrals/referral.ts'
import { keptOf } from '../../domain/return.ts'
import { businessDayOf } from '../../flush/tiers.ts'
import { readSales } from '../../store/receipts.ts'
import { addToMonth, readCounted, readLastClosed, writeCounted } from '../../store/referrals/months.ts'
import { referralRules } from '../../store/referrals/programmes.ts'
import { lockAdvocate, lockReferralOf, wasAtSameTill, writeReferral } from '../../store/referrals/referrals.ts'
import { countRewards, insertRewards, revokeRewards, type StoredReward } from '../../store/referrals/rewards.ts'
import { type ReceiptEvent, saleIdOf } from '../receipt-event.ts'

/**
 * Looks at what a receipt of a referee means for the referral. All that is written follows from what the sale is now, so
 * repeats change nothing and the order of events does not matter.
 */
export async function followSale(context: LedgerContext, event: ReceiptEvent): Promise<void> {
  const { brand: slug, payload } = event
  const brand = context.brands.get(slug)
  const { value } = payload
  const saleId = saleIdOf(event)
  if (brand === undefined) return
  await context.database.transaction(async (tx) => {
    const referral = await lockReferralOf(tx, slug, value.memberId)
    const rules = referral && (await referralRules(tx, slug, referral.version))
    const [sale] = await readSales(tx, [{ brand: slug, id: saleId }])
    if (referral === undefined || rules === undefined || sale === undefined) return
    const follower = { tx, brand, rules, now: context.clock.now() }
    const heardAtMs = value.occurredAt?.getTime() ?? 0
    const seen = { receiptId: saleId, keptMinor: keptOf(sale.record), isSale: value.kind === 'sale', heardAtMs }
    const followed = await takeStep(follower, referral, seen)
    await countSpend(follower, followed, seen)
  })
}

/** A sale as it is now, and the receipt by which it was heard of. */
interface SeenSale {
  readonly receiptId: string
  readonly keptMinor: bigint
  /** Otherwise it was a return of it. */
  readonly isSale: boolean
  readonly heardAtMs: number
}

interface Follower {
  readonly tx: Sql
  readonly brand: BrandInfo
  readonly rules: ReferralProgramme
  readonly now: Date
}

async function takeStep(follower: Follower, referral: Referral, seen: SeenSale): Promise<Referral> {
  const { tx, rules, brand, now } = follower
  // A return is no purchase: all that it can do is to take one back.
  if (!seen.isSale && referral.state === 'open') return referral
  const step = stepOf(referral, { ...seen, occurredAtMs: seen.heardAtMs }, rules, brand.timeZone)
  switch (step.kind) {
    case 'nothing':
      return referral
    case 'expire': {
      await writeReferral(tx, { ...referral, state: 'expired' })
      return { ...referral, state: 'expired' }
    }
    case 'cancel': {
      await revokeRewards(tx, brand.brand, referral.referralId, now)
      await writeReferral(tx, { ...referral, state: 'cancelled' })
      return { ...referral, state: 'cancelled' }
    }
    case 'qualify':
      return qualify(follower, referral, step.purchase)
  }
}

async function qualify({ tx, rules, brand }: Follower, referral: Referral, purchase: Purchase): Promise<Referral> {
  const { advocateId } = referral
  await lockAdvocate(tx, brand.brand, advocateId)
  const till = { advocateId, receiptId: purchase.receiptId, minutes: rules.sameTillMinutes }
  const isSameTill = till.minutes > 0 && (await wasAtSameTill(tx, brand.brand, till))
  const looked = isSameTill ? heldFor(referral, 'same_till') : referral
  const qualified: Referral = { ...looked, state: 'qualified', purchase }
  const today = localDay(purchase.purchasedAtMs, brand.timeZone)
  const [day, month] = [today, monthOf(today)].map((one) => new Date(startOfDay(one, brand.timeZone)))
  const had = await countRewards(tx, brand.brand, advocateId, { day: day ?? new Date(0), month: month ?? new Date(0) })
  const state = qualified.review === 'waiting' ? 'held' : 'planned'
  await insertRewards(tx, [
    ...planned(qualified, purchase, 'advocate', rules.advocate, isCapped(had, rules.caps) ? 'capped' : state),
    ...planned(qualified, purchase, 'referee', rules.referee, state),
  ])
  await writeReferral(tx, qualified)
  return qualified
}

function planned(
  { brand, referralId, advocateId, refereeId }: Referral,
  { purchasedAtMs, windowEndsAtMs }: Purchase,
  side: 'advocate' | 'referee',
  reward: Reward | undefined,
  state: StoredReward['state'],
): readonly StoredReward[] {
  if (reward === undefined) return []
  return [
    {
      brand,
      rewardId: uuidv7(),
      referralId,
      memberId: side === 'advocate' ? advocateId : refereeId,
      side,
      reward,
      occurredAtMs: purchasedAtMs,
      activeAtMs: windowEndsAtMs,
      issueAtMs: reward.kind === 'points' ? purchasedAtMs : windowEndsAtMs,
      issuedAtMs: undefined,
      couponId: null,
      state,
    },
  ]
}

/**
 * Adds a sale of the term to the advocate's month, what is left of it when it is first heard of; a later return lowers the
 * month that it falls in. A month that is closed stays: the first open one is meant then.
 */
async function countSpend(
  { tx, brand, rules: { recurring } }: Follower,
  { advocateId, purchase, state, review }: Referral,
  { receiptId, keptMinor, isSale, heardAtMs }: SeenSale,
): Promise<void> {
  const isCounted = purchase !== undefined && review !== 'waiting' && review !== 'rejected'
  if (recurring === undefined || !isCounted || (state === 'cancelled' && purchase.receiptId !== receiptId)) return
  if (!isInTerm(recurring, purchase.purchasedAtMs, businessDayOf(receiptId), brand.timeZone)) return
  const key = { brand: brand.brand, advocateId }
  await lockAdvocate(tx, brand.brand, advocateId)
  const counted = await readCounted(tx, brand.brand, receiptId)
  const netMinor = keptMinor - (counted ?? 0n)
  if (isSale !== (counted === undefined) || netMinor === 0n) return
  await writeCounted(tx, key, receiptId, keptMinor)
  const closed = await readLastClosed(tx, key)
  const own = monthOf(localDay(heardAtMs, brand.timeZone))
  const month = closed === undefined || own > closed ? own : addMonths(closed, 1)
  await addToMonth(
    tx,
    { ...key, month, netMinor, carryMinor: 0n },
    closesAt(month, recurring.closeDays, brand.timeZone),
  )
}

/** When a month is closed. */
export function closesAt(month: string, closeDays: number, timeZone: string): number {
  return startOfDay(addDays(addMonths(month, 1), closeDays), timeZone)
}
