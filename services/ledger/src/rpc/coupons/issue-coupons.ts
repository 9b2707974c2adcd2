import {
  checkIdempotencyKey,
  checkInt,
  checkList,
  checkText,
  checkUuid,
  invalidArgument,
  notFound,
  StampedeError,
} from '@stampede/platform'
import { IssueCouponsRequest, IssueCouponsResponse } from '@stampede/proto/coupons/v1'
import { campaignOf } from '../../campaign-message.ts'
import type { LedgerContext } from '../../context.ts'
import { normalizeCode } from '../../domain/coupons/codes.ts'
import { issueCodes, randomCode } from '../../issue-coupons.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { readCampaign } from '../../store/coupons/campaigns.ts'
import { brandOf, fingerprint, idPattern } from '../checks.ts'
import { couponMessage } from './usage.ts'

const COUPONS_MAX = 1_000
const FOREIGN_CODE = { min: 10, max: 64 }

/** Makes coupons, or takes over codes of others. */
export async function issueCoupons(
  context: LedgerContext,
  request: IssueCouponsRequest,
): Promise<IssueCouponsResponse> {
  const brand = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const campaignId = checkText(request.campaignId, 'campaign_id', { min: 1, max: 40, pattern: idPattern })
  const memberId = request.memberId === '' ? undefined : checkUuid(request.memberId, 'member_id')
  const count = checkInt(request.count, 'count', { min: 0, max: COUPONS_MAX })
  const foreign = checkList(request.codes, 'codes', { max: COUPONS_MAX }).map((code, index) =>
    normalizeCode(checkText(code, `codes[${index}]`, FOREIGN_CODE)),
  )
  if (count + foreign.length === 0) throw invalidArgument('count', 'must be at least 1, or codes be given')
  const repeated = foreign.findIndex((code, index) => foreign.indexOf(code) < index)
  if (repeated >= 0) throw invalidArgument(`codes[${repeated}]`, 'is there twice')
  const encoded = IssueCouponsRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand: brand.brand, key, bodyHash: fingerprint('coupon.issue', encoded), method: 'coupon.issue' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const stored = await readCampaign(tx, brand.brand, campaignId)
    if (stored === undefined) throw notFound()
    const campaign = campaignOf(stored.message)
    const codes = [...Array.from({ length: count }, randomCode), ...foreign]
    const { coupons, taken } = await issueCodes(tx, campaign, codes, { brand, memberId, now })
    if (taken !== undefined) {
      const index = foreign.indexOf(taken)
      throw new StampedeError('ALREADY_EXISTS', 'this code is taken', { field: `codes[${index}]` })
    }
    const messages = coupons.map((coupon) => couponMessage(coupon, campaign, now.getTime()))
    return { response: IssueCouponsResponse.encode({ coupons: messages }).finish(), causeId: null }
  })
  return IssueCouponsResponse.decode(response)
}
