import {
  checkBigint,
  checkIdempotencyKey,
  checkInt,
  checkList,
  checkPresent,
  checkText,
  invalidArgument,
} from '@stampede/platform'
import { PutRewardRequest, PutRewardResponse, type Reward } from '@stampede/proto/rewards/v1'
import type { LedgerContext } from '../../context.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { insertReward, readRewards } from '../../store/rewards/rewards.ts'
import { brandOf, checkOneOf, fingerprint, idPattern, POINTS_MAX } from '../checks.ts'

const VERSIONS_MAX = 10_000
const TIERS_MAX = 20
const MEMBER_LIMIT_MAX = 1_000_000
const CANCEL_DAYS_MAX = 365
const id = { min: 1, max: 40, pattern: idPattern }

/** Publishes a version of a reward. */
export async function putReward(context: LedgerContext, request: PutRewardRequest): Promise<PutRewardResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const message = checkPresent(request.reward, 'reward')
  checkReward(message)
  const encoded = PutRewardRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('reward', encoded), method: 'reward' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const { rewardId } = message
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ledger.reward.' || $1 || '/' || $2, 0))`, [
      brand,
      rewardId,
    ])
    const known = [...(await readRewards(tx, [{ brand, rewardId }])).values()][0]
    if (known !== undefined && (known.kind === 'voucher') !== (message.kind === 'voucher')) {
      throw invalidArgument('reward.kind', 'of a voucher never changes')
    }
    const version = (known?.version ?? 0) + 1
    if (version > VERSIONS_MAX) throw invalidArgument('reward', `has at most ${VERSIONS_MAX} versions`)
    await insertReward(tx, { brand, version, message }, now)
    return { response: PutRewardResponse.encode({ version }).finish(), causeId: null }
  })
  return PutRewardResponse.decode(response)
}

function checkReward(reward: Reward): void {
  const price = { min: 1n, max: POINTS_MAX }
  const money = { min: 0n, max: POINTS_MAX }
  checkText(reward.rewardId, 'reward.reward_id', id)
  checkOneOf(reward.kind, 'reward.kind', ['', 'goods', 'service', 'voucher'])
  checkBigint(reward.points, 'reward.points', price)
  const tiers = checkList(reward.tierPoints, 'reward.tier_points', { max: TIERS_MAX })
  for (const [index, { tierId, points }] of tiers.entries()) {
    const at = `reward.tier_points[${index}]`
    checkText(tierId, `${at}.tier_id`, id)
    checkBigint(points, `${at}.points`, price)
    if (tiers.findIndex((one) => one.tierId === tierId) < index) throw invalidArgument(`${at}.tier_id`, 'is taken')
  }
  checkBigint(reward.surchargeMinor, 'reward.surcharge_minor', money)
  checkInt(reward.memberLimit, 'reward.member_limit', { min: 0, max: MEMBER_LIMIT_MAX })
  if (reward.from !== undefined && reward.until !== undefined && reward.from >= reward.until) {
    throw invalidArgument('reward.until', 'must be after from')
  }
  checkInt(reward.cancelDays, 'reward.cancel_days', { min: 0, max: CANCEL_DAYS_MAX })
  if (reward.partner !== '') checkText(reward.partner, 'reward.partner', id)
  const cost = checkBigint(reward.costMinor, 'reward.cost_minor', money)
  if (cost > 0n && reward.partner === '') throw invalidArgument('reward.partner', 'is needed with cost_minor')
}
