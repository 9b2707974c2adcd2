import type { Sql } from '@stampede/platform'
import type { RewardCounts } from '../../domain/referrals/guards.ts'
import type { Reward } from '../../domain/referrals/programme.ts'

/** What became of a reward. */
export type RewardState = 'held' | 'planned' | 'issued' | 'capped' | 'refused' | 'revoking' | 'revoked'

/** A reward of one side of a referral, or of a month. */
export interface StoredReward {
  readonly brand: string
  /** UUIDv7. */
  readonly rewardId: string
  /** Null for a month's. */
  readonly referralId: string | null
  readonly memberId: string
  readonly side: 'advocate' | 'referee' | 'welcome' | 'month'
  readonly reward: Reward
  /** Of the purchase. */
  readonly occurredAtMs: number
  /** When the return window ends. */
  readonly activeAtMs: number
  /** When there is something to do. */
  readonly issueAtMs: number
  /** Undefined as long as it was not given. */
  readonly issuedAtMs: number | undefined
  readonly couponId: string | null
  readonly state: RewardState
}

interface RawReward {
  readonly brand: string
  readonly reward_id: string
  readonly referral_id: string | null
  readonly member_id: string
  readonly side: StoredReward['side']
  readonly kind: Reward['kind']
  readonly amount: bigint
  readonly campaign_id: string
  readonly live_days: number
  readonly occurred_at: Date
  readonly active_at: Date
  readonly issue_at: Date
  readonly issued_at: Date | null
  readonly coupon_id: string | null
  readonly state: RewardState
}

/** Stores new rewards. */
export async function insertRewards(tx: Sql, rewards: readonly StoredReward[]): Promise<void> {
  for (const one of rewards) {
    const { reward } = one
    await tx.query({
      name: 'ledger-insert-referral-reward',
      text: `INSERT INTO referral_reward (brand, reward_id, referral_id, member_id, side, kind, amount, campaign_id,
          live_days, occurred_at, active_at, issue_at, issued_at, coupon_id, state)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
      values: [
        one.brand,
        one.rewardId,
        one.referralId,
        one.memberId,
        one.side,
        reward.kind,
        amountOf(reward),
        reward.kind === 'coupon' ? reward.campaignId : '',
        reward.kind === 'points' ? reward.liveDays : 0,
        new Date(one.occurredAtMs),
        new Date(one.activeAtMs),
        new Date(one.issueAtMs),
        one.issuedAtMs === undefined ? null : new Date(one.issuedAtMs),
        one.couponId,
        one.state,
      ],
    })
  }
}

/** Points, or minor units of money; 0 for a coupon. */
export function amountOf(reward: Reward): bigint {
  switch (reward.kind) {
    case 'points':
      return reward.points
    case 'cash':
      return reward.moneyMinor
    case 'coupon':
      return 0n
  }
}

/** Rewards with something to do by now, locked; those in work elsewhere are left out. */
export async function lockDueRewards(tx: Sql, now: Date, limit: number): Promise<readonly StoredReward[]> {
  const rows = await tx.query<RawReward>({
    name: 'ledger-lock-due-rewards',
    text: `SELECT * FROM referral_reward WHERE state IN ('planned', 'revoking') AND issue_at <= $1
      ORDER BY issue_at LIMIT $2 FOR UPDATE SKIP LOCKED`,
    values: [now, limit],
  })
  return rows.map(fromRow)
}

/** Rewards of referrals, by side. */
export async function readRewards(
  sql: Sql,
  brand: string,
  referralIds: readonly string[],
): Promise<readonly StoredReward[]> {
  const rows = await sql.query<RawReward>({
    name: 'ledger-read-referral-rewards',
    text: 'SELECT * FROM referral_reward WHERE referral_id = ANY($2::uuid[]) AND brand = $1 ORDER BY side',
    values: [brand, referralIds],
  })
  return rows.map(fromRow)
}

/** Writes what became of a locked reward. */
export async function writeReward(tx: Sql, reward: StoredReward): Promise<void> {
  await tx.query({
    name: 'ledger-write-referral-reward',
    text: `UPDATE referral_reward SET state = $3, issued_at = $4, coupon_id = $5 WHERE reward_id = $2 AND brand = $1`,
    values: [
      reward.brand,
      reward.rewardId,
      reward.state,
      reward.issuedAtMs === undefined ? null : new Date(reward.issuedAtMs),
      reward.couponId,
    ],
  })
}

/** Lets the rewards of a referral go that waited for a review: points at once, the others when the return window ends. */
export async function releaseRewards(tx: Sql, brand: string, referralId: string): Promise<void> {
  await tx.query(
    `UPDATE referral_reward SET state = 'planned' WHERE referral_id = $2 AND brand = $1 AND state = 'held'`,
    [brand, referralId],
  )
}

/** Takes all rewards of a referral back that were given or would be. */
export async function revokeRewards(tx: Sql, brand: string, referralId: string, now: Date): Promise<void> {
  await tx.query(
    `UPDATE referral_reward SET state = 'revoking', issue_at = $3
     WHERE referral_id = $2 AND brand = $1 AND state IN ('held', 'planned', 'issued')`,
    [brand, referralId, now],
  )
}

/** Rewards of an advocate since two instants and ever, those that were taken back or never given not counted. */
export async function countRewards(
  sql: Sql,
  brand: string,
  advocateId: string,
  { day, month }: { readonly day: Date; readonly month: Date },
): Promise<RewardCounts> {
  const [row] = await sql.query<{ day: bigint; month: bigint; lifetime: bigint }>({
    name: 'ledger-count-referral-rewards',
    text: `SELECT count(*) FILTER (WHERE occurred_at >= $3) AS day, count(*) FILTER (WHERE occurred_at >= $4) AS month,
        count(*) AS lifetime FROM referral_reward
      WHERE member_id = $2 AND brand = $1 AND side = 'advocate' AND state IN ('held', 'planned', 'issued')`,
    values: [brand, advocateId, day, month],
  })
  return { day: row?.day ?? 0n, month: row?.month ?? 0n, lifetime: row?.lifetime ?? 0n }
}

function fromRow(row: RawReward): StoredReward {
  return {
    brand: row.brand,
    rewardId: row.reward_id,
    referralId: row.referral_id,
    memberId: row.member_id,
    side: row.side,
    reward: rewardOf(row),
    occurredAtMs: row.occurred_at.getTime(),
    activeAtMs: row.active_at.getTime(),
    issueAtMs: row.issue_at.getTime(),
    issuedAtMs: row.issued_at?.getTime(),
    couponId: row.coupon_id,
    state: row.state,
  }
}

function rewardOf({ kind, amount, campaign_id: campaignId, live_days: liveDays }: RawReward): Reward {
  switch (kind) {
    case 'points':
      return { kind, points: amount, liveDays }
    case 'coupon':
      return { kind, campaignId }
    case 'cash':
      return { kind, moneyMinor: amount }
  }
}
