import type { Database, Sql } from '@stampede/platform'

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

interface Invariant {
  readonly name: string
  /** Gives the rows that break it. */
  readonly text: string
}

const invariants: readonly Invariant[] = [
  {
    name: 'the entries of a transaction sum to zero',
    text: `SELECT brand, member_id, version, sum(amount) AS sum FROM entry
      GROUP BY brand, member_id, version HAVING sum(amount) <> 0`,
  },
  {
    name: 'every entry belongs to a transaction',
    text: `SELECT e.* FROM entry e LEFT JOIN transaction_row t USING (brand, member_id, version)
      WHERE t.version IS NULL`,
  },
  {
    name: 'the versions of an account have no gap',
    text: `SELECT a.brand, a.member_id, a.version, t.postings, t.newest FROM account a
      LEFT JOIN (SELECT brand, member_id, count(*) AS postings, max(version) AS newest FROM transaction_row
        GROUP BY brand, member_id) t USING (brand, member_id)
      WHERE a.version <> coalesce(t.postings, 0) OR a.version <> coalesce(t.newest, 0)`,
  },
  {
    name: 'every transaction belongs to an account',
    text: `SELECT t.* FROM transaction_row t LEFT JOIN account a USING (brand, member_id) WHERE a.version IS NULL`,
  },
  {
    name: 'the totals of an account equal its entries',
    text: `SELECT a.*, e.* FROM account a
      LEFT JOIN (SELECT brand, member_id,
          coalesce(sum(amount) FILTER (WHERE account = 'available'), 0) AS entries_available,
          coalesce(sum(amount) FILTER (WHERE account = 'pending'), 0) AS entries_pending,
          coalesce(sum(amount) FILTER (WHERE account = 'held'), 0) AS entries_held,
          -coalesce(sum(amount) FILTER (WHERE account = 'debt'), 0) AS entries_debt,
          -coalesce(sum(amount) FILTER (WHERE account = 'issued'), 0) AS entries_issued
        FROM entry GROUP BY brand, member_id) e USING (brand, member_id)
      WHERE (a.available, a.pending, a.held, a.debt, a.lifetime_earned) IS DISTINCT FROM
        (coalesce(e.entries_available, 0), coalesce(e.entries_pending, 0), coalesce(e.entries_held, 0),
          coalesce(e.entries_debt, 0), coalesce(e.entries_issued, 0))`,
  },
  {
    name: 'the lots of an account sum to its totals',
    text: `SELECT a.brand, a.member_id, a.available, a.held, l.lots_available, l.lots_held FROM account a
      FULL JOIN (SELECT brand, member_id, sum(available) AS lots_available, sum(held) AS lots_held FROM lot
        GROUP BY brand, member_id) l USING (brand, member_id)
      WHERE (coalesce(a.available, 0), coalesce(a.held, 0)) IS DISTINCT FROM
        (coalesce(l.lots_available, 0), coalesce(l.lots_held, 0))`,
  },
  {
    name: 'the allocations of a transaction equal its entries',
    text: `SELECT * FROM
      (SELECT brand, member_id, version, sum(available) AS lots_available, sum(held) AS lots_held FROM allocation
        GROUP BY brand, member_id, version) l
      FULL JOIN
      (SELECT brand, member_id, version, coalesce(sum(amount) FILTER (WHERE account = 'available'), 0) AS available,
          coalesce(sum(amount) FILTER (WHERE account = 'held'), 0) AS held FROM entry
        GROUP BY brand, member_id, version) e USING (brand, member_id, version)
      WHERE coalesce(lots_available, 0) <> coalesce(available, 0) OR coalesce(lots_held, 0) <> coalesce(held, 0)`,
  },
  {
    name: 'what is left of a lot equals its allocations',
    text: `SELECT * FROM
      (SELECT brand, member_id, lot_id, amount, available, held FROM lot) l
      FULL JOIN
      (SELECT brand, member_id, lot_id, sum(available) AS moved_available, sum(held) AS moved_held FROM allocation
        GROUP BY brand, member_id, lot_id) m USING (brand, member_id, lot_id)
      WHERE (available, held) IS DISTINCT FROM (coalesce(moved_available, 0), coalesce(moved_held, 0))`,
  },
  {
    name: 'the lots of a hold sum to its points',
    text: `SELECT h.*, l.held FROM hold h
      LEFT JOIN (SELECT brand, hold_id, sum(points) AS held FROM hold_lot GROUP BY brand, hold_id) l
        USING (brand, hold_id)
      WHERE h.points IS DISTINCT FROM l.held`,
  },
  {
    name: 'the held part of a lot is what open holds hold',
    text: `SELECT l.brand, l.member_id, l.lot_id, l.held, h.points FROM
      (SELECT * FROM lot WHERE held > 0) l
      FULL JOIN (SELECT brand, member_id, lot_id, sum(hold_lot.points) AS points
        FROM hold JOIN hold_lot USING (brand, hold_id) WHERE state = 'open' GROUP BY brand, member_id, lot_id) h
        USING (brand, member_id, lot_id)
      WHERE coalesce(l.held, 0) <> coalesce(h.points, 0)`,
  },
  {
    name: 'a receipt has exactly the entries of its points, once',
    text: `SELECT r.brand, r.receipt_id, r.member_id, r.kind, r.points_earned, r.points_spent, c.* FROM receipt r
      LEFT JOIN (SELECT t.brand, t.member_id, t.cause_id,
          count(*) FILTER (WHERE e.account = 'issued') AS issued_entries,
          count(*) FILTER (WHERE e.account = 'redeemed') AS redeemed_entries,
          coalesce(sum(e.amount) FILTER (WHERE e.account = 'issued'), 0) AS issued,
          coalesce(sum(e.amount) FILTER (WHERE e.account = 'redeemed'), 0) AS redeemed
        FROM transaction_row t JOIN entry e USING (brand, member_id, version)
        WHERE t.kind IN ('earn', 'spend', 'return') GROUP BY t.brand, t.member_id, t.cause_id) c
        ON c.brand = r.brand AND c.member_id = r.member_id AND c.cause_id = r.receipt_id
      WHERE coalesce(c.issued_entries, 0) > 1 OR coalesce(c.redeemed_entries, 0) > 1
        OR coalesce(c.issued, 0) <> CASE r.kind WHEN 'sale' THEN -r.points_earned ELSE r.points_earned END
        OR coalesce(c.redeemed, 0) <> CASE r.kind WHEN 'sale' THEN r.points_spent ELSE -r.points_spent END`,
  },
  {
    name: 'points are earned, spent and returned by receipts only',
    text: `SELECT t.* FROM transaction_row t
      LEFT JOIN receipt r ON r.brand = t.brand AND r.receipt_id = t.cause_id AND r.member_id = t.member_id
      WHERE t.kind IN ('earn', 'spend', 'return') AND r.receipt_id IS NULL`,
  },
  {
    name: 'the lines of a sale sum to it',
    text: `SELECT r.brand, r.receipt_id, r.total_minor, r.points_earned, r.points_spent, l.* FROM receipt r
      LEFT JOIN (SELECT brand, receipt_id, sum(amount_minor) AS amount_minor, sum(earned) AS earned, sum(paid) AS paid
        FROM receipt_line GROUP BY brand, receipt_id) l USING (brand, receipt_id)
      WHERE r.kind = 'sale' AND (r.total_minor, r.points_earned, r.points_spent)
        IS DISTINCT FROM (l.amount_minor, l.earned, l.paid)`,
  },
  {
    name: 'what is returned of a line is the sum of its returns',
    text: `SELECT * FROM
      (SELECT brand, receipt_id, line_index, quantity, returned FROM receipt_line) l
      FULL JOIN
      (SELECT r.brand, r.original_receipt_id AS receipt_id, n.line_index, sum(n.quantity) AS given_back
        FROM receipt r JOIN return_line n USING (brand, receipt_id)
        GROUP BY r.brand, r.original_receipt_id, n.line_index) n USING (brand, receipt_id, line_index)
      WHERE coalesce(returned, 0) <> coalesce(given_back, 0)`,
  },
  {
    name: 'returns do not exceed their sale',
    text: `SELECT * FROM
      (SELECT brand, receipt_id, points_earned, points_spent, total_minor FROM receipt WHERE kind = 'sale') s
      RIGHT JOIN
      (SELECT brand, original_receipt_id AS receipt_id, sum(points_earned) AS reversed, sum(points_spent) AS restored,
        sum(total_minor) AS given_back FROM receipt WHERE kind = 'return' GROUP BY brand, original_receipt_id) r
        USING (brand, receipt_id)
      WHERE total_minor IS NULL OR reversed > points_earned OR restored > points_spent OR given_back > total_minor`,
  },
  {
    name: 'the answer to a receipt points to it',
    text: `SELECT i.brand, i.key, i.method, i.cause_id FROM idempotency i
      LEFT JOIN receipt r ON r.brand = i.brand AND r.receipt_id = i.cause_id AND r.kind = i.method
      WHERE i.method IN ('sale', 'return') AND r.receipt_id IS NULL`,
  },
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
    'SELECT (SELECT count(*) FROM transaction_row) AS transactions, (SELECT count(*) FROM receipt) AS receipts',
  )
  return { ok: true, transactions: counts?.transactions ?? 0n, receipts: counts?.receipts ?? 0n }
}
