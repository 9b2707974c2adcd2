import type { Invariant } from './verify.ts'

/** Rules of prize draws. */
export const drawInvariants: readonly Invariant[] = [
  {
    name: 'what a member has earned for a draw is what its receipts came to',
    text: `SELECT * FROM
      (SELECT brand, member_id, currency, lifetime_earned FROM account WHERE starts_with(currency, 'draw.')) a
      FULL JOIN (SELECT brand, member_id, 'draw.' || draw_id AS currency, sum(points) AS earned FROM draw_receipt
        GROUP BY brand, member_id, draw_id) r USING (brand, member_id, currency)
      WHERE coalesce(lifetime_earned, 0) <> coalesce(earned, 0)`,
  },
  {
    name: 'the list of a draw is the one that was published',
    text: `SELECT * FROM (SELECT brand, draw_id, list_hash, ticket_count FROM draw WHERE state <> 'open') d
      FULL JOIN (SELECT brand, draw_id, count(*) AS tickets,
          encode(sha256(convert_to(string_agg(ticket_id, E'\\n' ORDER BY ticket_id), 'UTF8')), 'hex') AS hash
        FROM draw_ticket GROUP BY brand, draw_id) t USING (brand, draw_id)
      WHERE ticket_count IS NULL OR ticket_count <> coalesce(tickets, 0) OR tickets > 0 AND list_hash <> hash`,
  },
  {
    name: 'the points of a draw are burnt',
    text: `SELECT a.brand, a.member_id, a.currency, a.available FROM account a
      JOIN draw d ON d.brand = a.brand AND 'draw.' || d.draw_id = a.currency
      WHERE a.available > 0 AND d.burnt_at IS NOT NULL AND (d.burn = 'all'
        OR EXISTS (SELECT FROM draw_ticket t WHERE t.brand = d.brand AND t.draw_id = d.draw_id
          AND t.member_id = a.member_id))`,
  },
  {
    name: 'winners have the tickets that were drawn, and prizes that were handed over are booked',
    text: `SELECT w.*, t.state AS ticket_state, m.value FROM draw_winner w
      LEFT JOIN draw_ticket t ON t.brand = w.brand AND t.draw_id = w.draw_id AND t.ticket_id = w.ticket_id
        AND t.member_id = w.member_id
      LEFT JOIN draw_step s ON s.brand = w.brand AND s.draw_id = w.draw_id AND s.ticket_id = w.ticket_id
        AND s.outcome = 'drawn'
      LEFT JOIN (SELECT p.brand, p.reference, sum(e.amount) AS value FROM money_posting p
        CROSS JOIN LATERAL unnest(p.entry_accounts, p.entry_amounts) e (account, amount)
        WHERE p.kind = 'prize' AND e.account = 'cost' GROUP BY p.brand, p.reference) m
        ON m.brand = w.brand AND m.reference = w.draw_id || '/' || w.place
      WHERE t.state IS DISTINCT FROM 'drawn' OR s.index IS NULL
        OR coalesce(m.value, 0) <> CASE w.state WHEN 'handed_over' THEN w.value_minor ELSE 0 END`,
  },
]
