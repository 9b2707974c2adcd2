import type { Invariant } from './verify.ts'

/** Rules of paid membership and its money. */
export const subscriptionInvariants: readonly Invariant[] = [
  {
    name: 'a term is booked as it stands',
    text: `SELECT * FROM
      (SELECT brand, subscription_id AS cause_id, number::text AS reference, price_minor, revenue_minor, refund_minor
        FROM subscription_term WHERE NOT is_trial) t
      FULL JOIN (SELECT p.brand, p.cause_id, p.reference,
          coalesce(-sum(e.amount) FILTER (WHERE e.account = 'deferred'), 0) AS deferred,
          coalesce(-sum(e.amount) FILTER (WHERE e.account = 'revenue'), 0) AS revenue,
          coalesce(sum(e.amount) FILTER (WHERE e.account = 'tender'), 0) AS tender
        FROM money_posting p
        CROSS JOIN LATERAL unnest(p.entry_accounts, p.entry_amounts) e (account, amount)
        WHERE p.kind IN ('subscription_fee', 'subscription_revenue', 'subscription_refund')
        GROUP BY p.brand, p.cause_id, p.reference) m USING (brand, cause_id, reference)
      WHERE (price_minor - revenue_minor - refund_minor, revenue_minor, price_minor - refund_minor) IS DISTINCT FROM
        (deferred, revenue, tender)`,
  },
  {
    name: 'terms of a subscription do not overlap',
    text: `SELECT a.brand, a.subscription_id, a.number, a.until_at, b.from_at FROM subscription_term a
      JOIN subscription_term b ON b.subscription_id = a.subscription_id AND b.brand = a.brand AND b.number = a.number + 1
      WHERE a.refund_minor = 0 AND (b.from_at < least(a.until_at, a.benefits_until)
        OR b.from_at < a.benefits_until AND b.from_at <> a.until_at)`,
  },
]
