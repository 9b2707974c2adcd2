import type { Invariant } from './verify.ts'

/** Rules of the reward catalogue. */
export const rewardInvariants: readonly Invariant[] = [
  {
    name: 'an order has exactly the entries of its points',
    text: `SELECT o.*, c.* FROM
      (SELECT brand, member_id, order_id AS cause_id, points - points * cancelled / quantity AS paid FROM reward_order) o
      FULL JOIN (SELECT p.brand, p.member_id, p.cause_id, sum(e.amount) AS redeemed FROM posting p
        JOIN entry e USING (brand, member_id, currency, version)
        WHERE p.kind IN ('order', 'cancel_order') AND e.account = 'redeemed'
        GROUP BY p.brand, p.member_id, p.cause_id) c USING (brand, member_id, cause_id)
      WHERE coalesce(paid, 0) <> coalesce(redeemed, 0)
        AND NOT EXISTS (SELECT FROM detached_month WHERE parent = 'posting')`,
  },
  {
    name: 'the stock of a reward is what its orders reserve and were given',
    text: `SELECT * FROM (SELECT brand, reward_id, reserved, delivered FROM reward_stock) s
      FULL JOIN (SELECT brand, reward_id,
          coalesce(sum(quantity - cancelled) FILTER (WHERE state = 'placed'), 0) AS placed,
          coalesce(sum(quantity - cancelled) FILTER (WHERE state = 'fulfilled'), 0) AS fulfilled
        FROM reward_order GROUP BY brand, reward_id) o USING (brand, reward_id)
      WHERE (coalesce(reserved, 0), coalesce(delivered, 0)) <> (coalesce(placed, 0), coalesce(fulfilled, 0))`,
  },
  {
    name: 'the codes of a voucher are those of its stock and orders',
    text: `SELECT * FROM (SELECT brand, reward_id, count(*) FILTER (WHERE order_id IS NULL) AS free_codes,
        count(order_id) AS taken FROM reward_code GROUP BY brand, reward_id) c
      JOIN reward_stock s USING (brand, reward_id)
      WHERE free_codes <> coalesce(s.free, 0) OR taken <> s.reserved + s.delivered`,
  },
]
