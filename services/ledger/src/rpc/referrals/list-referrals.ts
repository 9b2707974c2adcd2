import { checkInt, checkUuid } from '@stampede/platform'
import type { ListReferralsRequest, ListReferralsResponse } from '@stampede/proto/referrals/v1'
import type { LedgerContext } from '../../context.ts'
import { readReferrals } from '../../store/referrals/referrals.ts'
import { readRewards } from '../../store/referrals/rewards.ts'
import { brandOf } from '../checks.ts'
import { referralMessage } from './referral-state.ts'

const PAGE_SIZE_MAX = 500
const PAGE_SIZE_DEFAULT = 50

/** Referrals, oldest first. */
export async function listReferrals(
  context: LedgerContext,
  request: ListReferralsRequest,
): Promise<ListReferralsResponse> {
  const { brand } = brandOf(context, request.brand)
  const asked = checkInt(request.pageSize, 'page_size', { min: 0, max: PAGE_SIZE_MAX })
  const limit = asked === 0 ? PAGE_SIZE_DEFAULT : asked
  const idOf = (text: string, field: string) => (text === '' ? undefined : checkUuid(text, field))
  const found = await readReferrals(context.database, brand, {
    advocateId: idOf(request.advocateId, 'advocate_id'),
    refereeId: idOf(request.refereeId, 'referee_id'),
    isWaiting: request.waiting,
    afterId: idOf(request.pageToken, 'page_token'),
    limit: limit + 1,
  })
  const page = found.slice(0, limit)
  const ids = page.map(({ referralId }) => referralId)
  const rewards = await readRewards(context.database, brand, ids)
  return {
    referrals: page.map((referral) => referralMessage(referral, rewards)),
    nextPageToken: found.length > limit ? (page.at(-1)?.referralId ?? '') : '',
  }
}
