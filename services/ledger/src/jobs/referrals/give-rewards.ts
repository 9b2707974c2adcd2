import { createHash } from 'node:crypto'
import { type BrandInfo, type Sql, StampedeError } from '@stampede/platform'
import { campaignOf } from '../../campaign-message.ts'
import type { LedgerContext } from '../../context.ts'
import { memberParty, moneyPosting, owed } from '../../domain/money.ts'
import { programmeAt } from '../../domain/programme.ts'
import type { Item, ItemRequest } from '../../flush/item.ts'
import { issueCodes, randomCode, voidLocked } from '../../issue-coupons.ts'
import { readCampaign } from '../../store/coupons/campaigns.ts'
import { lockCouponById, readUsedMoney } from '../../store/coupons/coupons.ts'
import { insertMoneyPostings } from '../../store/money.ts'
import { lockDueRewards, type StoredReward, writeReward } from '../../store/referrals/rewards.ts'

/** A posting of a reward must be done by then, or it is tried again. */
const POSTING_DEADLINE_MS = 30_000
/** Rewards of one transaction at most. */
const REWARDS_MAX = 50

/** Gives rewards that are due and takes back those of purchases that came back, up to `limit`; answers how many. */
export async function giveRewards(context: LedgerContext, limit: number): Promise<number> {
  let done = 0
  while (done < limit) {
    const some = await giveSome(context, Math.min(limit - done, REWARDS_MAX))
    done += some
    if (some < REWARDS_MAX) break
  }
  return done
}

/**
 * One transaction of it. The rows are locked meanwhile, and what goes through the flush has keys of its own: whoever dies
 * in between leaves rewards that are planned still, and the next one gets the stored answers.
 */
async function giveSome(context: LedgerContext, limit: number): Promise<number> {
  return context.database.transaction(async (tx) => {
    const due = await lockDueRewards(tx, context.clock.now(), limit)
    // Side by side: the flush takes what comes together in one transaction.
    const outcomes = await Promise.allSettled(due.map((reward) => settle(context, tx, reward)))
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    return outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value).length
  })
}

/** False for a reward of a brand that is not there. */
async function settle(context: LedgerContext, tx: Sql, reward: StoredReward): Promise<boolean> {
  const brand = context.brands.get(reward.brand)
  if (brand === undefined) return false
  const hand = { context, tx, brand, now: context.clock.now() }
  await writeReward(tx, reward.state === 'planned' ? await give(hand, reward) : await takeBack(hand, reward))
  return true
}

interface Hand {
  readonly context: LedgerContext
  readonly tx: Sql
  readonly brand: BrandInfo
  readonly now: Date
}

async function give(hand: Hand, stored: StoredReward): Promise<StoredReward> {
  const issued: StoredReward = { ...stored, state: 'issued', issuedAtMs: hand.now.getTime() }
  const { reward } = stored
  switch (reward.kind) {
    case 'points': {
      const { points, liveDays } = reward
      const term = { occurredAtMs: stored.occurredAtMs, liveDays, funder: '', activatesAtMs: stored.activeAtMs }
      const isDone = await post(hand, stored, { kind: 'grant', eventKey: eventKeyOf(stored), points, ...term })
      return isDone ? issued : { ...stored, state: 'refused' }
    }
    case 'cash':
      await postCash(hand, stored, reward.moneyMinor, 'referral_reward')
      return issued
    case 'coupon': {
      const campaign = await readCampaign(hand.tx, stored.brand, reward.campaignId)
      if (campaign === undefined) return { ...stored, state: 'refused' }
      const whose = { brand: hand.brand, memberId: stored.memberId, now: hand.now }
      const { coupons } = await issueCodes(hand.tx, campaignOf(campaign.message), [randomCode()], whose)
      return { ...issued, couponId: coupons[0]?.couponId ?? null }
    }
  }
}

async function takeBack(hand: Hand, stored: StoredReward): Promise<StoredReward> {
  const { reward, issuedAtMs } = stored
  switch (reward.kind) {
    case 'points':
      // Also where it does not seem to be given: whoever gave it may not have come to note it.
      await post(hand, stored, { kind: 'correct', eventKey: eventKeyOf(stored), points: 0n })
      break
    case 'cash':
      if (issuedAtMs !== undefined) await postCash(hand, stored, -reward.moneyMinor, 'referral_back')
      break
    case 'coupon':
      if (stored.couponId !== null) await takeCouponBack(hand, stored, stored.couponId)
      break
  }
  return { ...stored, state: 'revoked' }
}

/** An unused coupon is void. A used one is owed in points, but for the one that the purchase itself was paid with. */
async function takeCouponBack(hand: Hand, stored: StoredReward, couponId: string): Promise<void> {
  const { tx, brand, now, context } = hand
  // By itself: the flush below may wait for the coupon.
  await context.database.transaction((own) => voidById(own, stored.brand, couponId, now))
  if (stored.side === 'welcome') return
  const versions = (await context.programmes.of(tx, [brand.brand])).get(brand.brand) ?? []
  const programme = programmeAt(versions, now.getTime())
  const usedMinor = await readUsedMoney(tx, stored.brand, couponId)
  const points = programme === undefined ? 0n : usedMinor / programme.pointValueMinor
  if (points === 0n) return
  const reason = 'a used coupon of a referral that came back'
  await post(hand, stored, { kind: 'adjust', points: -points, reason, proposedBy: 'referral', isByRule: true })
}

async function voidById(tx: Sql, brand: string, couponId: string, now: Date): Promise<void> {
  const coupon = await lockCouponById(tx, brand, couponId)
  const campaign = coupon && (await readCampaign(tx, brand, coupon.campaignId))
  if (coupon === undefined || campaign === undefined || coupon.state === 'voided') return
  await voidLocked(tx, coupon, campaignOf(campaign.message), now)
}

async function postCash(
  { tx, now }: Hand,
  { brand, rewardId, memberId }: StoredReward,
  moneyMinor: bigint,
  kind: 'referral_reward' | 'referral_back',
): Promise<void> {
  const entries = owed('referral', memberParty(memberId), moneyMinor)
  const posting = moneyPosting({ kind, causeId: rewardId, reference: '', occurredAtMs: now.getTime(), entries })
  await insertMoneyPostings(tx, [{ brand, posting }], now)
}

/** Posts through the flush; false where the books refuse it for good. */
async function post(
  { context, now }: Hand,
  { brand, memberId, rewardId }: StoredReward,
  request: ItemRequest,
): Promise<boolean> {
  const key = `referral/${rewardId}/${request.kind}`
  const bodyHash = createHash('sha256').update(key).digest()
  const item: Item = {
    brand,
    memberId,
    idempotencyKey: key,
    bodyHash,
    request,
    deadlineMs: now.getTime() + POSTING_DEADLINE_MS,
  }
  const [result] = await context.committer.submit([item])
  if (result?.ok === true) return true
  const error = result?.error ?? new StampedeError('INTERNAL')
  if (error.retryable) throw error
  return false
}

function eventKeyOf({ rewardId }: StoredReward): string {
  return `referral/${rewardId}`
}
