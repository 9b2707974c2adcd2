import type { Invariant } from './verify.ts'

/** Rules of members' own prices. */
export const priceInvariants: readonly Invariant[] = [
  {
    name: 'prices of one kind of a member follow each other',
    text: `SELECT * FROM (SELECT brand, member_id, kind, price_id, from_at,
          lag(until_at) OVER (PARTITION BY brand, member_id, kind ORDER BY from_at, price_id) AS before_until
        FROM member_price) p WHERE from_at < before_until`,
  },
  {
    name: 'units at members’ own prices are of lines of their sales',
    text: `SELECT u.brand, u.member_id, u.receipt_id, n.* FROM member_price_use u
      CROSS JOIN LATERAL unnest(u.line_indexes, u.line_skus, u.line_units) n (line_index, sku, units)
      LEFT JOIN receipt_line l ON l.brand = u.brand AND l.receipt_id = u.receipt_id AND l.line_index = n.line_index
      WHERE (l.sku IS DISTINCT FROM n.sku OR n.units > l.quantity OR n.units <= 0)
        AND NOT EXISTS (SELECT FROM detached_month WHERE parent = 'receipt'
          AND month = date_trunc('month', u.day)::date)`,
  },
]
