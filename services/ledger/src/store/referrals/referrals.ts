import type { Sql } from '@stampede/platform'
import type { Referral } from '../../domain/referrals/referral.ts'

interface RawReferral {
  readonly brand: string
  readonly referral_id: string
  readonly advocate_id: string
  readonly referee_id: string
  readonly version: number
  readonly attributed_at: Date
  readonly state: Referral['state']
  readonly review: Referral['review']
  readonly review_reasons: readonly string[]
  readonly receipt_id: string | null
  readonly purchased_at: Date | null
  readonly window_ends_at: Date | null
}

/** Whoever counts what an advocate has had gets the advocate alone until the transaction ends. */
export async function lockAdvocate(tx: Sql, brand: string, advocateId: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ledger.advocate.' || $1 || '/' || $2, 0))`, [
    brand,
    advocateId,
  ])
}

/** The referral of a referee, locked until the transaction ends; undefined for one whom nobody brought. */
export async function lockReferralOf(tx: Sql, brand: string, refereeId: string): Promise<Referral | undefined> {
  const [row] = await tx.query<RawReferral>({
    name: 'ledger-lock-referral-of',
    text: 'SELECT * FROM referral WHERE referee_id = $2 AND brand = $1 FOR UPDATE',
    values: [brand, refereeId],
  })
  return row && fromRow(row)
}

/** A referral by its id, locked until the transaction ends. */
export async function lockReferral(tx: Sql, brand: string, referralId: string): Promise<Referral | undefined> {
  const [row] = await tx.query<RawReferral>({
    name: 'ledger-lock-referral',
    text: 'SELECT * FROM referral WHERE referral_id = $2 AND brand = $1 FOR UPDATE',
    values: [brand, referralId],
  })
  return row && fromRow(row)
}

/** Which of the members were brought by somebody, as `brand/member`. */
export async function readReferees(
  sql: Sql,
  members: readonly { readonly brand: string; readonly memberId: string }[],
): Promise<ReadonlySet<string>> {
  const rows = await sql.query<{ brand: string; referee_id: string }>({
    name: 'ledger-read-referees',
    text: `SELECT r.brand, r.referee_id FROM unnest($1::text[], $2::uuid[]) k (brand, member_id)
      CROSS JOIN LATERAL (SELECT brand, referee_id FROM referral
        WHERE referee_id = k.member_id AND brand = k.brand LIMIT 1) r`,
    values: [members.map(({ brand }) => brand), members.map(({ memberId }) => memberId)],
  })
  return new Set(rows.map((row) => `${row.brand}/${row.referee_id}`))
}

/** Stores a new referral; one of the same referee fails the transaction. */
export async function insertReferral(tx: Sql, referral: Referral): Promise<void> {
  await tx.query({
    name: 'ledger-insert-referral',
    text: `INSERT INTO referral (brand, referral_id, advocate_id, referee_id, version, attributed_at, state, review,
        review_reasons)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    values: [
      referral.brand,
      referral.referralId,
      referral.advocateId,
      referral.refereeId,
      referral.version,
      new Date(referral.attributedAtMs),
      referral.state,
      referral.review,
      referral.reviewReasons,
    ],
  })
}

/** Writes a locked referral as it is now; who looked at it stays unless there is somebody new. */
export async function writeReferral(tx: Sql, referral: Referral, reviewedBy?: string): Promise<void> {
  const { purchase } = referral
  await tx.query({
    name: 'ledger-write-referral',
    text: `UPDATE referral SET state = $3, review = $4, review_reasons = $5, receipt_id = $6, purchased_at = $7,
        window_ends_at = $8, reviewed_by = coalesce($9, reviewed_by)
      WHERE referral_id = $2 AND brand = $1`,
    values: [
      referral.brand,
      referral.referralId,
      referral.state,
      referral.review,
      referral.reviewReasons,
      purchase?.receiptId ?? null,
      purchase === undefined ? null : new Date(purchase.purchasedAtMs),
      purchase === undefined ? null : new Date(purchase.windowEndsAtMs),
      reviewedBy ?? null,
    ],
  })
}

/** Referrals of an advocate that were attributed since an instant. */
export async function countSince(sql: Sql, brand: string, advocateId: string, since: Date): Promise<bigint> {
  const [row] = await sql.query<{ count: bigint }>({
    name: 'ledger-count-referrals',
    text: 'SELECT count(*) AS count FROM referral WHERE advocate_id = $2 AND brand = $1 AND attributed_at > $3',
    values: [brand, advocateId, since],
  })
  return row?.count ?? 0n
}

/** Which referrals are asked for. */
export interface ReferralFilter {
  /** Undefined: of all. */
  readonly advocateId: string | undefined
  readonly refereeId: string | undefined
  /** Only those that wait for a person. */
  readonly isWaiting: boolean
  /** From behind this one; undefined: from the first. */
  readonly afterId: string | undefined
  readonly limit: number
}

/** Referrals, oldest first. */
export async function readReferrals(sql: Sql, brand: string, filter: ReferralFilter): Promise<readonly Referral[]> {
  const conditions = ['brand = $1', 'referral_id > $2']
  const values: unknown[] = [brand, filter.afterId ?? '00000000-0000-0000-0000-000000000000', filter.limit]
  if (filter.advocateId !== undefined) conditions.push(`advocate_id = $${values.push(filter.advocateId)}`)
  if (filter.refereeId !== undefined) conditions.push(`referee_id = $${values.push(filter.refereeId)}`)
  if (filter.isWaiting) conditions.push(`review = 'waiting'`)
  const rows = await sql.query<RawReferral>(
    `SELECT * FROM referral WHERE ${conditions.join(' AND ')} ORDER BY referral_id LIMIT $3`,
    values,
  )
  return rows.map(fromRow)
}

/** Whether the advocate bought at the same till within so many minutes of a receipt; the newest 50 postings are looked at. */
export async function wasAtSameTill(
  sql: Sql,
  brand: string,
  {
    advocateId,
    receiptId,
    minutes,
  }: { readonly advocateId: string; readonly receiptId: string; readonly minutes: number },
): Promise<boolean> {
  const rows = await sql.query({
    name: 'ledger-was-at-same-till',
    text: `SELECT FROM receipt own CROSS JOIN LATERAL (
        SELECT cause_id FROM posting WHERE brand = $1 AND member_id = $2 AND currency = 'points'
          AND kind IN ('earn', 'spend') ORDER BY version DESC LIMIT 50) p
      CROSS JOIN LATERAL (SELECT * FROM receipt WHERE receipt_id = p.cause_id AND brand = $1
        AND month = business_month(p.cause_id) LIMIT 1) r
      WHERE own.receipt_id = $3 AND own.brand = $1 AND own.month = business_month($3)
        AND r.store_id = own.store_id AND r.till_id = own.till_id
        AND r.occurred_at BETWEEN own.occurred_at - make_interval(mins => $4) AND own.occurred_at + make_interval(mins => $4)
      LIMIT 1`,
    values: [brand, advocateId, receiptId, minutes],
  })
  return rows.length > 0
}

function fromRow(row: RawReferral): Referral {
  const { receipt_id: receiptId, purchased_at: purchasedAt, window_ends_at: windowEndsAt } = row
  const isBought = receiptId !== null && purchasedAt !== null && windowEndsAt !== null
  return {
    brand: row.brand,
    referralId: row.referral_id,
    advocateId: row.advocate_id,
    refereeId: row.referee_id,
    version: row.version,
    attributedAtMs: row.attributed_at.getTime(),
    state: row.state,
    review: row.review,
    reviewReasons: row.review_reasons,
    purchase: isBought
      ? { receiptId, purchasedAtMs: purchasedAt.getTime(), windowEndsAtMs: windowEndsAt.getTime() }
      : undefined,
  }
}
