import type { Invariant } from './verify.ts'

/** Rules of rewards for members who bring members. */
export const referralInvariants: readonly Invariant[] = [
  {
    name: 'a reward has exactly what its state says',
    text: `SELECT r.*, g.points, m.cash, c.owner FROM referral_reward r
      LEFT JOIN (SELECT brand, event_key, sum(points) AS points FROM event_grant
        WHERE starts_with(event_key, 'referral/') GROUP BY brand, event_key) g
        ON g.brand = r.brand AND g.event_key = 'referral/' || r.reward_id
      LEFT JOIN (SELECT brand, cause_id, sum(amount) AS cash FROM money_entry
        WHERE kind IN ('referral_reward', 'referral_back') AND account = 'cost' GROUP BY brand, cause_id) m
        ON m.brand = r.brand AND m.cause_id = r.reward_id
      LEFT JOIN (SELECT brand, coupon_id, member_id AS owner FROM coupon) c
        ON c.brand = r.brand AND c.coupon_id = r.coupon_id
      WHERE r.state IN ('held', 'issued', 'capped', 'refused', 'revoked') AND CASE r.kind
        WHEN 'points' THEN coalesce(g.points, 0) <> CASE r.state WHEN 'issued' THEN r.amount ELSE 0 END
        WHEN 'cash' THEN coalesce(m.cash, 0) <> CASE r.state WHEN 'issued' THEN r.amount ELSE 0 END
        ELSE r.state = 'issued' AND c.owner IS DISTINCT FROM r.member_id END`,
  },
  {
    name: 'a referral that came to nothing has no rewards',
    text: `SELECT f.brand, f.referral_id, f.state, f.review, r.side, r.state AS reward_state FROM referral f
      JOIN referral_reward r ON r.brand = f.brand AND r.referral_id = f.referral_id
      WHERE (f.state = 'cancelled' AND r.state IN ('held', 'planned', 'issued'))
        OR (f.state = 'expired' AND r.side <> 'welcome') OR (f.review = 'waiting' AND r.state IN ('planned', 'issued'))`,
  },
  {
    name: 'the months of an advocate are what was counted of sales',
    text: `SELECT * FROM
      (SELECT brand, advocate_id, sum(net_minor) AS months FROM referral_month GROUP BY brand, advocate_id) m
      FULL JOIN
      (SELECT brand, advocate_id, sum(counted_minor) AS sales FROM referral_spend GROUP BY brand, advocate_id) s
        USING (brand, advocate_id)
      WHERE coalesce(months, 0) <> coalesce(sales, 0)`,
  },
]
