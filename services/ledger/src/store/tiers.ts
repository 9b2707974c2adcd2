import type { Sql } from '@stampede/platform'
import type { QualifyingDay, TierState } from '../domain/tiers/ladder.ts'
import { instants, numbers, plain, texts } from './columns.ts'

/** Whose tier it is. */
export interface MemberKey {
  readonly brand: string
  /** UUID in lower case. */
  readonly memberId: string
}

/** A member's tier as stored. */
export interface MemberTier extends MemberKey {
  readonly state: TierState
  /** Why a tier was given by hand; empty for one that was reached. */
  readonly reason: string
  /** Grows with every change. */
  readonly changes: bigint
  /** Entry rewards given, `tier/first day of the window`. */
  readonly rewards: readonly string[]
}

/** What a member did on days. */
export interface MemberDays extends MemberKey {
  readonly days: readonly QualifyingDay[]
}

interface RawTier {
  readonly brand: string
  readonly member_id: string
  readonly tier_id: string | null
  readonly previous_tier_id: string | null
  readonly since: Date
  readonly evaluate_at: Date
  readonly is_in_grace: boolean
  readonly pinned_until: Date
  readonly joined_on: string
  readonly reason: string
  readonly changes: bigint
  readonly rewards: readonly string[]
}

/** Tiers of members; those who were never evaluated are left out. */
export async function readMemberTiers(sql: Sql, keys: readonly MemberKey[]): Promise<readonly MemberTier[]> {
  if (keys.length === 0) return []
  const rows = await sql.query<RawTier>({
    name: 'ledger-read-member-tiers',
    text: `SELECT t.brand, t.member_id, t.tier_id, t.previous_tier_id, t.since, t.evaluate_at, t.is_in_grace,
        t.pinned_until, t.joined_on::text AS joined_on, t.reason, t.changes, t.rewards
      FROM unnest($1::text[], $2::uuid[]) k (brand, member_id)
      CROSS JOIN LATERAL (SELECT * FROM member_tier WHERE brand = k.brand AND member_id = k.member_id LIMIT 1) t`,
    values: columnsOf(keys),
  })
  return rows.map((row) => ({
    brand: row.brand,
    memberId: row.member_id,
    state: {
      tierId: row.tier_id ?? undefined,
      previousTierId: row.previous_tier_id ?? undefined,
      sinceMs: row.since.getTime(),
      evaluateAtMs: row.evaluate_at.getTime(),
      isInGrace: row.is_in_grace,
      pinnedUntilMs: row.pinned_until.getTime(),
      joinedOn: row.joined_on,
    },
    reason: row.reason,
    changes: row.changes,
    rewards: row.rewards,
  }))
}

/** Days of members from a day on, one row per member. */
export async function readMemberDays(
  sql: Sql,
  keys: readonly MemberKey[],
  fromDay: string,
): Promise<readonly MemberDays[]> {
  if (keys.length === 0) return []
  const rows = await sql.query<{
    brand: string
    member_id: string
    days: readonly string[]
    spend: readonly bigint[]
    points: readonly bigint[]
    visits: readonly bigint[]
  }>({
    name: 'ledger-read-member-days',
    text: `SELECT k.brand, k.member_id, d.* FROM unnest($1::text[], $2::uuid[]) k (brand, member_id)
      CROSS JOIN LATERAL (SELECT array_agg(day::text) AS days, array_agg(spend_minor) AS spend,
          array_agg(points) AS points, array_agg(visits) AS visits
        FROM qualifying_day WHERE brand = k.brand AND member_id = k.member_id AND day >= $3) d
      WHERE d.days IS NOT NULL`,
    values: [...columnsOf(keys), fromDay],
  })
  return rows.map(({ brand, member_id: memberId, days, spend, points, visits }) => ({
    brand,
    memberId,
    days: days.map((day, index) => ({
      day,
      spendMinor: spend[index] ?? 0n,
      points: points[index] ?? 0n,
      visits: visits[index] ?? 0n,
    })),
  }))
}

/** Members of a brand that have an account, after one of them, in the order of their ids. */
export async function readMembersAfter(
  sql: Sql,
  brand: string,
  afterId: string | null,
  limit: number,
): Promise<readonly string[]> {
  const rows = await sql.query<{ member_id: string }>({
    name: 'ledger-read-members-after',
    text: `SELECT member_id FROM account
      WHERE brand = $1 AND currency = 'points' AND ($2::uuid IS NULL OR member_id > $2) ORDER BY member_id LIMIT $3`,
    values: [brand, afterId, limit],
  })
  return rows.map((row) => row.member_id)
}

/** Stores tiers; the members' accounts are locked. */
export async function writeMemberTiers(tx: Sql, tiers: readonly MemberTier[]): Promise<void> {
  if (tiers.length === 0) return
  await tx.query({
    name: 'ledger-write-member-tiers',
    text: `INSERT INTO member_tier (brand, member_id, tier_id, previous_tier_id, since, evaluate_at, is_in_grace,
        pinned_until, joined_on, reason, changes, rewards)
      SELECT n.brand, n.member_id, n.tier_id, n.previous_tier_id, n.since, n.evaluate_at, n.is_in_grace, n.pinned_until,
        n.joined_on, n.reason, n.changes, n.rewards::text[]
      FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::boolean[],
        $8::timestamptz[], $9::date[], $10::text[], $11::bigint[], $12::text[])
        n (brand, member_id, tier_id, previous_tier_id, since, evaluate_at, is_in_grace, pinned_until, joined_on, reason,
          changes, rewards)
      ON CONFLICT (brand, member_id) DO UPDATE SET tier_id = excluded.tier_id,
        previous_tier_id = excluded.previous_tier_id, since = excluded.since, evaluate_at = excluded.evaluate_at,
        is_in_grace = excluded.is_in_grace, pinned_until = excluded.pinned_until, reason = excluded.reason,
        changes = excluded.changes, rewards = excluded.rewards`,
    values: [
      ...columnsOf(tiers),
      tiers.map(({ state }) => state.tierId ?? null),
      tiers.map(({ state }) => state.previousTierId ?? null),
      instants(tiers.map(({ state }) => state.sinceMs)),
      instants(tiers.map(({ state }) => state.evaluateAtMs)),
      numbers(tiers.map(({ state }) => state.isInGrace)),
      instants(tiers.map(({ state }) => state.pinnedUntilMs)),
      plain(tiers.map(({ state }) => state.joinedOn)),
      tiers.map(({ reason }) => reason),
      numbers(tiers.map(({ changes }) => changes)),
      tiers.map(({ rewards }) => texts(rewards)),
    ],
  })
}

/** Stores days as they are now; the members' accounts are locked. */
export async function writeDays(
  tx: Sql,
  days: readonly (MemberKey & { readonly day: QualifyingDay })[],
): Promise<void> {
  if (days.length === 0) return
  await tx.query({
    name: 'ledger-write-qualifying-days',
    text: `INSERT INTO qualifying_day (brand, member_id, day, spend_minor, points, visits)
      SELECT * FROM unnest($1::text[], $2::uuid[], $3::date[], $4::bigint[], $5::bigint[], $6::bigint[])
      ON CONFLICT (brand, member_id, day) DO UPDATE SET spend_minor = excluded.spend_minor, points = excluded.points,
        visits = excluded.visits`,
    values: [
      ...columnsOf(days),
      plain(days.map(({ day }) => day.day)),
      numbers(days.map(({ day }) => day.spendMinor)),
      numbers(days.map(({ day }) => day.points)),
      numbers(days.map(({ day }) => day.visits)),
    ],
  })
}

function columnsOf(keys: readonly MemberKey[]): readonly unknown[] {
  return [keys.map(({ brand }) => brand), plain(keys.map(({ memberId }) => memberId))]
}
