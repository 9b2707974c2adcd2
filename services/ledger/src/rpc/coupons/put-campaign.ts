import { checkIdempotencyKey, checkPresent, invalidArgument } from '@stampede/platform'
import { PutCouponCampaignRequest, PutCouponCampaignResponse } from '@stampede/proto/coupons/v1'
import type { LedgerContext } from '../../context.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { insertCampaign, readCampaign } from '../../store/coupons/campaigns.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { checkCampaign } from './check-campaign.ts'

const VERSIONS_MAX = 10_000

/** Publishes a version of a campaign. */
export async function putCampaign(
  context: LedgerContext,
  request: PutCouponCampaignRequest,
): Promise<PutCouponCampaignResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const message = checkPresent(request.campaign, 'campaign')
  checkCampaign(message)
  const encoded = PutCouponCampaignRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('coupon.campaign', encoded), method: 'coupon.campaign' }
  const response = await answerOnce(context, once, async (tx, now) => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ledger.coupon-campaign.' || $1 || '/' || $2, 0))`, [
      brand,
      message.campaignId,
    ])
    const version = ((await readCampaign(tx, brand, message.campaignId))?.version ?? 0) + 1
    if (version > VERSIONS_MAX) throw invalidArgument('campaign', `has at most ${VERSIONS_MAX} versions`)
    await insertCampaign(tx, brand, { version, message }, now)
    return { response: PutCouponCampaignResponse.encode({ version }).finish(), causeId: null }
  })
  return PutCouponCampaignResponse.decode(response)
}
