import type { Sql } from '@stampede/platform'
import type { Subscription, Term } from '../../domain/subscriptions/subscription.ts'
import { instants, numbers, plain } from '../columns.ts'

/** A term and whose it is. */
export interface StoredTerm extends Term {
  readonly brand: string
  readonly subscriptionId: string
  readonly memberId: string
  /** When the next day is over; undefined when all is earned or given back. */
  readonly earnsAtMs: number | undefined
}

interface RawTerm {
  readonly brand: string
  readonly subscription_id: string
  readonly member_id: string
  readonly number: number
  readonly is_trial: boolean
  readonly anchor_at: Date
  readonly steps: number
  readonly from_at: Date
  readonly until_at: Date
  readonly benefits_until: Date
  readonly tags: readonly string[]
  readonly tender: string
  readonly price_minor: bigint
  readonly revenue_minor: bigint
  readonly refund_minor: bigint
  readonly earns_at: Date | null
}

/** The newest terms of a subscription, newest first. */
export async function readTerms(
  sql: Sql,
  { brand, subscriptionId }: Pick<Subscription, 'brand' | 'subscriptionId'>,
  limit: number,
): Promise<readonly StoredTerm[]> {
  const rows = await sql.query<RawTerm>({
    name: 'ledger-read-subscription-terms',
    text: `SELECT * FROM subscription_term WHERE subscription_id = $2 AND brand = $1 ORDER BY number DESC LIMIT $3`,
    values: [brand, subscriptionId, limit],
  })
  return rows.map(fromRow)
}

/** Adds a term; its subscription is locked. */
export async function insertTerm(tx: Sql, term: StoredTerm): Promise<void> {
  await tx.query({
    name: 'ledger-insert-subscription-term',
    text: `INSERT INTO subscription_term (brand, subscription_id, member_id, number, is_trial, anchor_at, steps, from_at,
        until_at, benefits_until, tags, tender, price_minor, earns_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    values: [
      term.brand,
      term.subscriptionId,
      term.memberId,
      term.number,
      term.isTrial,
      new Date(term.anchorMs),
      term.steps,
      new Date(term.fromMs),
      new Date(term.untilMs),
      new Date(term.benefitsUntilMs),
      term.tags,
      term.tender,
      term.priceMinor,
      term.earnsAtMs === undefined ? null : new Date(term.earnsAtMs),
    ],
  })
}

/** Writes what became of locked terms. */
export async function writeTerms(tx: Sql, terms: readonly StoredTerm[]): Promise<void> {
  if (terms.length === 0) return
  await tx.query({
    name: 'ledger-write-subscription-terms',
    text: `UPDATE subscription_term t SET benefits_until = n.benefits_until, revenue_minor = n.revenue_minor,
        refund_minor = n.refund_minor, earns_at = n.earns_at
      FROM unnest($1::text[], $2::uuid[], $3::integer[], $4::timestamptz[], $5::bigint[], $6::bigint[], $7::timestamptz[])
        n (brand, subscription_id, number, benefits_until, revenue_minor, refund_minor, earns_at)
      WHERE t.subscription_id = n.subscription_id AND t.brand = n.brand AND t.number = n.number`,
    values: [
      terms.map(({ brand }) => brand),
      plain(terms.map(({ subscriptionId }) => subscriptionId)),
      numbers(terms.map(({ number }) => number)),
      instants(terms.map(({ benefitsUntilMs }) => benefitsUntilMs)),
      numbers(terms.map(({ revenueMinor }) => revenueMinor)),
      numbers(terms.map(({ refundMinor }) => refundMinor)),
      instants(terms.map(({ earnsAtMs }) => earnsAtMs ?? Number.POSITIVE_INFINITY)),
    ],
  })
}

/** Terms of which a day is over that has not earned yet, locked with their subscriptions; those in work are left out. */
export async function lockEarningTerms(tx: Sql, now: Date, limit: number): Promise<readonly StoredTerm[]> {
  const rows = await tx.query<RawTerm>({
    name: 'ledger-lock-earning-terms',
    text: `SELECT t.* FROM subscription_term t
      JOIN subscription s ON s.subscription_id = t.subscription_id AND s.brand = t.brand
      WHERE t.earns_at <= $1 ORDER BY t.earns_at LIMIT $2 FOR UPDATE OF s, t SKIP LOCKED`,
    values: [now, limit],
  })
  return rows.map(fromRow)
}

/** Terms of members that gave benefits at an instant or later, by `brand/member`. */
export async function readBenefits(
  sql: Sql,
  members: readonly { readonly brand: string; readonly memberId: string }[],
  since: Date,
): Promise<ReadonlyMap<string, readonly StoredTerm[]>> {
  if (members.length === 0) return new Map()
  const rows = await sql.query<RawTerm>({
    name: 'ledger-read-benefits',
    text: `SELECT t.* FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::uuid[]) k (brand, member_id)) k
      CROSS JOIN LATERAL (SELECT * FROM subscription_term
        WHERE member_id = k.member_id AND brand = k.brand AND benefits_until > $3 OFFSET 0) t`,
    values: [members.map(({ brand }) => brand), plain(members.map(({ memberId }) => memberId)), since],
  })
  return Map.groupBy(rows.map(fromRow), ({ brand, memberId }) => `${brand}/${memberId}`)
}

function fromRow(row: RawTerm): StoredTerm {
  return {
    brand: row.brand,
    subscriptionId: row.subscription_id,
    memberId: row.member_id,
    number: row.number,
    isTrial: row.is_trial,
    anchorMs: row.anchor_at.getTime(),
    steps: row.steps,
    fromMs: row.from_at.getTime(),
    untilMs: row.until_at.getTime(),
    benefitsUntilMs: row.benefits_until.getTime(),
    tags: row.tags,
    tender: row.tender,
    priceMinor: row.price_minor,
    revenueMinor: row.revenue_minor,
    refundMinor: row.refund_minor,
    earnsAtMs: row.earns_at?.getTime(),
  }
}
