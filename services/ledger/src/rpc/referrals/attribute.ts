import {
  type BrandInfo,
  checkIdempotencyKey,
  checkUuid,
  failedPrecondition,
  invalidArgument,
  type Sql,
  StampedeError,
  uuidv7,
} from '@stampede/platform'
import { AttributeReferralRequest, AttributeReferralResponse } from '@stampede/proto/referrals/v1'
import { campaignOf } from '../../campaign-message.ts'
import type { LedgerContext } from '../../context.ts'
import { countedTouch, type Touch } from '../../domain/referrals/attribution.ts'
import { reviewReasons } from '../../domain/referrals/guards.ts'
import type { ReferralProgramme } from '../../domain/referrals/programme.ts'
import type { Referral } from '../../domain/referrals/referral.ts'
import { issueCodes, randomCode } from '../../issue-coupons.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { readCampaign } from '../../store/coupons/campaigns.ts'
import { readAdvocate, readShared, readTouches } from '../../store/referrals/people.ts'
import { referralRules } from '../../store/referrals/programmes.ts'
import { countSince, insertReferral, lockAdvocate, lockReferralOf } from '../../store/referrals/referrals.ts'
import { insertRewards, readRewards } from '../../store/referrals/rewards.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { checkCode, checkVisitor } from './record-touch.ts'
import { referralMessage } from './referral-state.ts'

const HOUR_MS = 3_600_000

/** Decides who brought a new member. */
export async function attributeReferral(
  context: LedgerContext,
  request: AttributeReferralRequest,
): Promise<AttributeReferralResponse> {
  const brand = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const memberId = checkUuid(request.memberId, 'member_id')
  if (request.visitor === '' && request.code === '') throw invalidArgument('visitor', 'must be there, or a code')
  const came = {
    memberId,
    visitor: request.visitor === '' ? undefined : checkVisitor(request.visitor),
    code: request.code === '' ? undefined : checkCode(request.code),
  }
  const encoded = AttributeReferralRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand: brand.brand, key, bodyHash: fingerprint('referral', encoded), method: 'referral' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const rules = await referralRules(tx, brand.brand)
    if (rules === undefined) throw failedPrecondition('the brand has no referral programme')
    if ((await lockReferralOf(tx, brand.brand, memberId)) !== undefined) {
      throw new StampedeError('ALREADY_EXISTS', 'this member was brought before', { field: 'member_id' })
    }
    const touch = countedTouch(await touchesOf(tx, brand.brand, came, now), rules, now.getTime())
    if (touch === undefined) throw failedPrecondition('nobody brought this member')
    if (touch.advocateId === memberId) throw failedPrecondition('members do not bring themselves')
    const referral = await refer(tx, brand, rules, touch.advocateId, memberId, now)
    const welcomeCode = await welcome(tx, brand, rules, referral, now)
    const rewards = await readRewards(tx, brand.brand, [referral.referralId])
    const answer = { referral: referralMessage(referral, rewards), welcomeCode }
    return { response: AttributeReferralResponse.encode(answer).finish(), causeId: referral.referralId }
  })
  return AttributeReferralResponse.decode(response)
}

async function touchesOf(
  tx: Sql,
  brand: string,
  { visitor, code }: { readonly visitor: string | undefined; readonly code: string | undefined },
  now: Date,
): Promise<readonly Touch[]> {
  const touches = visitor === undefined ? [] : await readTouches(tx, brand, visitor)
  if (code === undefined) return touches
  const advocateId = await readAdvocate(tx, brand, code)
  return advocateId === undefined ? touches : [...touches, { advocateId, touchedAtMs: now.getTime() }]
}

async function refer(
  tx: Sql,
  { brand }: BrandInfo,
  rules: ReferralProgramme,
  advocateId: string,
  refereeId: string,
  now: Date,
): Promise<Referral> {
  await lockAdvocate(tx, brand, advocateId)
  const { withAdvocate, withReferees } = await readShared(tx, brand, refereeId, advocateId)
  const inLastHour = await countSince(tx, brand, advocateId, new Date(now.getTime() - HOUR_MS))
  const facts = { sharedWithAdvocate: withAdvocate, sharedWithReferees: withReferees, inLastHour }
  const reasons = reviewReasons(facts, rules)
  const referral: Referral = {
    brand,
    referralId: uuidv7(now.getTime()),
    advocateId,
    refereeId,
    version: rules.version,
    attributedAtMs: now.getTime(),
    state: 'open',
    review: reasons.length > 0 ? 'waiting' : 'none',
    reviewReasons: reasons,
    purchase: undefined,
  }
  await insertReferral(tx, referral)
  return referral
}

/** The coupon for the purchase itself, unless somebody must look first: then there is none. */
async function welcome(
  tx: Sql,
  brand: BrandInfo,
  { welcomeCampaignId }: ReferralProgramme,
  referral: Referral,
  now: Date,
): Promise<string> {
  if (welcomeCampaignId === '' || referral.review === 'waiting') return ''
  const campaign = await readCampaign(tx, brand.brand, welcomeCampaignId)
  if (campaign === undefined) throw failedPrecondition('the campaign is not there')
  const whose = { brand, memberId: referral.refereeId, now }
  const { coupons } = await issueCodes(tx, campaignOf(campaign.message), [randomCode()], whose)
  const [coupon] = coupons
  const atMs = now.getTime()
  const given = { occurredAtMs: atMs, activeAtMs: atMs, issueAtMs: atMs, issuedAtMs: atMs, state: 'issued' } as const
  const { referralId, refereeId: memberId } = referral
  const whoseReward = { brand: brand.brand, rewardId: uuidv7(atMs), referralId, memberId, side: 'welcome' } as const
  const reward = { kind: 'coupon', campaignId: welcomeCampaignId } as const
  await insertRewards(tx, [{ ...whoseReward, reward, ...given, couponId: coupon?.couponId ?? null }])
  return coupon?.code ?? ''
}
