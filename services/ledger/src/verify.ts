import type { Database, Sql } from '@stampede/platform'
import { donationInvariants } from './verify-donations.ts'
import { drawInvariants } from './verify-draws.ts'
import { giftCardInvariants } from './verify-gift-cards.ts'
import { priceInvariants } from './verify-prices.ts'
import { referralInvariants } from './verify-referrals.ts'
import { rewardInvariants } from './verify-rewards.ts'
import { subscriptionInvariants } from './verify-subscriptions.ts'

/** What a check of the whole ledger came to. */
export type VerifyResult =
  | {
      readonly ok: true
      /** Postings that were recomputed. */
      readonly transactions: bigint
      /** Sales and returns that were recomputed. */
      readonly receipts: bigint
    }
  | {
      readonly ok: false
      /** The rule that is broken. */
      readonly invariant: string
      /** The first row that breaks it, as found. */
      readonly row: Readonly<Record<string, unknown>>
    }

/** A rule of the books. */
export interface Invariant {
  readonly name: string
  /** Gives the rows that break it. */
  readonly text: string
}

/** Whether the rows of an instant or day are in a month of a table that was detached. */
function isDetached(table: string, at: string): string {
  return `EXISTS (SELECT FROM detached_month WHERE parent = '${table}' AND month = date_trunc('month', ${at})::date)`
}

const invariants: readonly Invariant[] = [
  {
    name: 'the entries of a transaction sum to zero',
    text: `SELECT brand, member_id, currency, version, entry_accounts, entry_amounts FROM posting
      WHERE (SELECT coalesce(sum(amount), 0) FROM unnest(entry_amounts) amount) <> 0`,
  },
  {
    name: 'the versions of an account have no gap',
    text: `SELECT a.brand, a.member_id, a.currency, a.version, t.postings, t.oldest, t.newest, o.version AS opening
      FROM account a
      LEFT JOIN opening o USING (brand, member_id, currency)
      LEFT JOIN (SELECT brand, member_id, currency, count(*) AS postings, min(version) AS oldest, max(version) AS newest
        FROM posting GROUP BY brand, member_id, currency) t USING (brand, member_id, currency)
      WHERE a.version <> coalesce(o.version, 0) + coalesce(t.postings, 0)
        OR a.version <> coalesce(t.newest, o.version, 0) OR t.oldest <> coalesce(o.version, 0) + 1`,
  },
  {
    name: 'every transaction belongs to an account',
    text: `SELECT t.* FROM posting t LEFT JOIN account a USING (brand, member_id, currency) WHERE a.version IS NULL`,
  },
  {
    name: 'the totals of an account equal its entries',
    text: `SELECT a.*, e.* FROM account a
      LEFT JOIN (SELECT brand, member_id, currency,
          coalesce(sum(amount) FILTER (WHERE account = 'available'), 0) AS entries_available,
          coalesce(sum(amount) FILTER (WHERE account = 'pending'), 0) AS entries_pending,
          coalesce(sum(amount) FILTER (WHERE account = 'held'), 0) AS entries_held,
          -coalesce(sum(amount) FILTER (WHERE account = 'debt'), 0) AS entries_debt,
          -coalesce(sum(amount) FILTER (WHERE account = 'issued'), 0) AS entries_issued
        FROM (SELECT brand, member_id, currency, account, amount FROM entry
          UNION ALL SELECT brand, member_id, currency, account, amount FROM opening
            CROSS JOIN LATERAL unnest(entry_accounts, entry_amounts) o (account, amount)) book
        GROUP BY brand, member_id, currency) e USING (brand, member_id, currency)
      WHERE (a.available, a.pending, a.held, a.debt, a.lifetime_earned) IS DISTINCT FROM
        (coalesce(e.entries_available, 0), coalesce(e.entries_pending, 0), coalesce(e.entries_held, 0),
          coalesce(e.entries_debt, 0), coalesce(e.entries_issued, 0))`,
  },
  {
    name: 'the lots of an account sum to its totals',
    text: `SELECT a.brand, a.member_id, a.currency, a.available, a.pending, a.held, l.* FROM account a
      FULL JOIN (SELECT brand, member_id, currency, sum(available) AS lots_available, sum(pending) AS lots_pending,
        sum(held) AS lots_held FROM lot GROUP BY brand, member_id, currency) l USING (brand, member_id, currency)
      WHERE (coalesce(a.available, 0), coalesce(a.pending, 0), coalesce(a.held, 0)) IS DISTINCT FROM
        (coalesce(l.lots_available, 0), coalesce(l.lots_pending, 0), coalesce(l.lots_held, 0))`,
  },
  {
    name: 'the allocations of a transaction equal its entries',
    text: `SELECT * FROM (SELECT brand, member_id, currency, version,
        (SELECT coalesce(sum(v), 0) FROM unnest(lot_available) v) AS lots_available,
        (SELECT coalesce(sum(v), 0) FROM unnest(lot_pending) v) AS lots_pending,
        (SELECT coalesce(sum(v), 0) FROM unnest(lot_held) v) AS lots_held,
        coalesce(entry_amounts[array_position(entry_accounts, 'available')], 0) AS available,
        coalesce(entry_amounts[array_position(entry_accounts, 'pending')], 0) AS pending,
        coalesce(entry_amounts[array_position(entry_accounts, 'held')], 0) AS held FROM posting) sums
      WHERE (lots_available, lots_pending, lots_held) IS DISTINCT FROM (available, pending, held)`,
  },
  {
    name: 'what is left of a lot equals its allocations',
    text: `SELECT * FROM
      (SELECT brand, member_id, currency, lot_id, amount, available, pending, held FROM lot) l
      FULL JOIN
      (SELECT brand, member_id, currency, lot_id, sum(available) AS moved_available, sum(pending) AS moved_pending,
          sum(held) AS moved_held
        FROM (SELECT brand, member_id, currency, lot_id, available, pending, held FROM allocation
          UNION ALL SELECT brand, member_id, currency, lot_id, available, pending, held FROM opening_lot) moves
        GROUP BY brand, member_id, currency, lot_id) m USING (brand, member_id, currency, lot_id)
      WHERE (available, pending, held) IS DISTINCT FROM
        (coalesce(moved_available, 0), coalesce(moved_pending, 0), coalesce(moved_held, 0))`,
  },
  {
    name: 'the lots of a hold sum to its points',
    text: `SELECT * FROM hold WHERE points <> (SELECT coalesce(sum(held), 0) FROM unnest(lot_points) held)`,
  },
  {
    name: 'the held part of a lot is what open holds hold',
    text: `SELECT * FROM
      (SELECT brand, member_id, currency, lot_id, held FROM lot WHERE held > 0) l
      FULL JOIN (SELECT brand, member_id, currency, d.lot_id, sum(d.points) AS points
        FROM hold CROSS JOIN LATERAL unnest(lot_ids, lot_points) d (lot_id, points)
        WHERE state = 'open' GROUP BY brand, member_id, currency, d.lot_id) h
        USING (brand, member_id, currency, lot_id)
      WHERE coalesce(held, 0) <> coalesce(points, 0)`,
  },
  {
    name: 'a receipt has exactly the entries of its points, once',
    text: `SELECT r.brand, r.receipt_id, r.member_id, r.kind, r.points_earned, r.points_spent, c.* FROM receipt r
      LEFT JOIN (SELECT p.brand, p.member_id, p.cause_id,
          count(*) FILTER (WHERE e.account = 'issued') AS issued_entries,
          count(*) FILTER (WHERE e.account = 'redeemed') AS redeemed_entries,
          coalesce(sum(e.amount) FILTER (WHERE e.account = 'issued'), 0) AS issued,
          coalesce(sum(e.amount) FILTER (WHERE e.account = 'redeemed'), 0) AS redeemed
        FROM posting p JOIN entry e USING (brand, member_id, currency, version)
        WHERE p.kind IN ('earn', 'spend', 'return') AND p.currency = 'points'
        GROUP BY p.brand, p.member_id, p.cause_id) c
        ON c.brand = r.brand AND c.member_id = r.member_id AND c.cause_id = r.receipt_id
      WHERE NOT ${isDetached('posting', 'r.posted_at')}
        AND (coalesce(c.issued_entries, 0) > 1 OR coalesce(c.redeemed_entries, 0) > 1
        OR coalesce(c.issued, 0) <> CASE r.kind WHEN 'sale' THEN -r.points_earned ELSE r.points_earned END
        OR coalesce(c.redeemed, 0) <> CASE r.kind WHEN 'sale' THEN r.points_spent ELSE -r.points_spent END)`,
  },
  {
    name: 'points are earned, spent and returned by receipts only',
    text: `SELECT t.* FROM posting t
      LEFT JOIN receipt r ON r.brand = t.brand AND r.receipt_id = t.cause_id AND r.member_id = t.member_id
      WHERE t.kind IN ('earn', 'spend', 'return') AND t.currency = 'points' AND r.receipt_id IS NULL
        AND NOT ${isDetached('receipt', 'business_month(t.cause_id)')}`,
  },
  {
    name: 'a receipt has exactly the entries of its stamps, once',
    text: `SELECT s.*, c.* FROM stamp_receipt s
      FULL JOIN (SELECT p.brand, p.member_id, p.currency, p.cause_id, -coalesce(sum(e.amount) FILTER
            (WHERE p.kind = 'earn' AND e.account = 'issued'), 0) AS given,
          coalesce(sum(e.amount) FILTER (WHERE p.kind = 'spend' AND e.account = 'redeemed'), 0) AS taken
        FROM posting p JOIN entry e USING (brand, member_id, currency, version)
        WHERE p.kind IN ('earn', 'spend') AND p.currency LIKE 'stamps-%'
        GROUP BY p.brand, p.member_id, p.currency, p.cause_id) c
        ON c.brand = s.brand AND c.member_id = s.member_id AND c.currency = 'stamps-' || s.card_id
          AND c.cause_id = s.receipt_id
      WHERE (s.receipt_id IS NULL OR sum_of(s.line_earned) <> coalesce(c.given, 0)
          OR sum_of(s.line_paid) > coalesce(c.taken, 0))
        AND NOT EXISTS (SELECT FROM detached_month WHERE parent = 'posting')`,
  },
  {
    name: 'an event has exactly the entries of its points',
    text: `SELECT g.*, c.* FROM event_grant g
      LEFT JOIN (SELECT p.brand, p.member_id, p.cause_id, sum(e.amount) AS issued FROM posting p
        JOIN entry e USING (brand, member_id, currency, version)
        WHERE p.kind IN ('grant', 'revoke') AND e.account = 'issued' GROUP BY p.brand, p.member_id, p.cause_id) c
        ON c.brand = g.brand AND c.member_id = g.member_id AND c.cause_id = g.grant_id
      WHERE g.points <> -coalesce(c.issued, 0) AND NOT EXISTS (SELECT FROM detached_month WHERE parent = 'posting')`,
  },
  {
    name: 'a posted adjustment has exactly its entries, another has none',
    text: `SELECT a.*, c.* FROM adjustment a
      LEFT JOIN (SELECT p.brand, p.member_id, p.cause_id, sum(e.amount) AS adjusted, count(*) AS times FROM posting p
        JOIN entry e USING (brand, member_id, currency, version)
        WHERE p.kind = 'adjust' AND e.account = 'adjusted' GROUP BY p.brand, p.member_id, p.cause_id) c
        ON c.brand = a.brand AND c.member_id = a.member_id AND c.cause_id = a.adjustment_id
      WHERE (coalesce(-c.adjusted, 0), coalesce(c.times, 0)) IS DISTINCT FROM
          CASE a.state WHEN 'posted' THEN (a.points::numeric, 1::bigint) ELSE (0::numeric, 0::bigint) END
        AND NOT ${isDetached('posting', 'coalesce(a.resolved_at, a.proposed_at)')}`,
  },
  {
    name: 'transfers take from one member what they give to another',
    text: `SELECT p.brand, p.cause_id, sum(e.amount) AS sum FROM posting p
      JOIN entry e USING (brand, member_id, currency, version)
      WHERE p.kind = 'transfer' AND e.account = 'transferred'
      GROUP BY p.brand, p.cause_id HAVING sum(e.amount) <> 0 OR count(*) <> 2`,
  },
  {
    name: 'the lines of a sale sum to it',
    text: `SELECT brand, receipt_id, total_minor, points_earned, points_spent, points_short, line_amounts, line_earned, line_paid
      FROM receipt WHERE kind = 'sale' AND (total_minor, points_earned, points_spent + points_short) IS DISTINCT FROM
        ((SELECT coalesce(sum(v), 0) FROM unnest(line_amounts) v), (SELECT coalesce(sum(v), 0) FROM unnest(line_earned) v),
          (SELECT coalesce(sum(v), 0) FROM unnest(line_paid) v))`,
  },
  {
    name: 'what is returned of a line is the sum of its returns',
    text: `SELECT * FROM
      (SELECT brand, receipt_id, line_index, quantity, returned FROM receipt_line) l
      FULL JOIN
      (SELECT brand, original_receipt_id AS receipt_id, line_index, sum(quantity) AS given_back
        FROM return_line GROUP BY brand, original_receipt_id, line_index) n USING (brand, receipt_id, line_index)
      WHERE (coalesce(returned, 0) <> coalesce(given_back, 0) OR returned > quantity)
        AND NOT EXISTS (SELECT FROM detached_month WHERE parent = 'receipt')`,
  },
  {
    name: 'returns do not exceed their sale',
    text: `SELECT * FROM
      (SELECT brand, receipt_id, points_earned, points_spent, total_minor FROM receipt WHERE kind = 'sale') s
      RIGHT JOIN
      (SELECT brand, original_receipt_id AS receipt_id, sum(points_earned) AS reversed, sum(points_spent) AS restored,
        sum(total_minor) AS given_back FROM receipt WHERE kind = 'return' GROUP BY brand, original_receipt_id) r
        USING (brand, receipt_id)
      WHERE (total_minor IS NULL OR reversed > points_earned OR restored > points_spent OR given_back > total_minor)
        AND NOT ${isDetached('receipt', 'business_month(receipt_id)')}`,
  },
  {
    name: 'the answer to a receipt points to it',
    text: `SELECT i.brand, i.key, i.method, i.cause_id FROM idempotency i
      LEFT JOIN receipt r ON r.brand = i.brand AND r.receipt_id = i.cause_id AND r.kind = i.method
      WHERE i.method IN ('sale', 'return') AND r.receipt_id IS NULL
        AND NOT ${isDetached('receipt', 'business_month(i.cause_id)')}`,
  },
  ...giftCardInvariants,
  ...priceInvariants,
  ...donationInvariants,
  ...drawInvariants,
  ...rewardInvariants,
  ...referralInvariants,
  ...subscriptionInvariants,
]

/**
 * Recomputes the whole ledger from its entries, in one snapshot. `sql` has the ledger's schema as its search path: its
 * Database, or a transaction that is under way. Answers the first rule that is broken with a row that breaks it. Each
 * rule is one statement that reads whole tables.
 */
export async function verifyLedger(sql: Sql | Database): Promise<VerifyResult> {
  if (!('transaction' in sql)) return verifyRules(sql)
  return sql.transaction(async (tx) => {
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    return verifyRules(tx)
  })
}

async function verifyRules(tx: Sql): Promise<VerifyResult> {
  // Right after a load the tables have no statistics: the planner takes them for small or for full of different
  // brands, and joins in quadratic time. Hash joins need no guess.
  await tx.query('SET LOCAL enable_nestloop = off')
  await tx.query('SET LOCAL enable_mergejoin = off')
  for (const { name, text } of invariants) {
    const [row] = await tx.query<Record<string, unknown>>(`SELECT * FROM (${text}) broken LIMIT 1`)
    if (row !== undefined) return { ok: false, invariant: name, row }
  }
  const [counts] = await tx.query<{ transactions: bigint; receipts: bigint }>(
    'SELECT (SELECT count(*) FROM posting) AS transactions, (SELECT count(*) FROM receipt) AS receipts',
  )
  return { ok: true, transactions: counts?.transactions ?? 0n, receipts: counts?.receipts ?? 0n }
}
