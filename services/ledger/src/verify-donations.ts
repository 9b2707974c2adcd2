import type { Invariant } from './verify.ts'

/** Rules of donations and of what funds are owed for them. */
export const donationInvariants: readonly Invariant[] = [
  {
    name: 'a donation has the hold and the entries that its state says',
    text: `SELECT d.*, h.state AS hold_state, h.points AS held, p.donated, m.owed FROM donation d
      LEFT JOIN hold h ON h.brand = d.brand AND h.hold_id = d.donation_id AND h.is_donation
      LEFT JOIN (SELECT p.brand, p.cause_id, sum(e.amount) AS donated FROM posting p
        JOIN entry e USING (brand, member_id, currency, version)
        WHERE p.kind = 'donate' AND e.account = 'donated' GROUP BY p.brand, p.cause_id) p
        ON p.brand = d.brand AND p.cause_id = d.donation_id
      LEFT JOIN (SELECT brand, cause_id, -sum(amount) AS owed FROM money_entry
        WHERE kind = 'donation' AND account = 'payable' GROUP BY brand, cause_id) m
        ON m.brand = d.brand AND m.cause_id = d.donation_id
      WHERE h.points IS DISTINCT FROM d.points
        OR d.state = 'donated' AND h.state <> 'committed' OR d.state = 'undone' AND h.state <> 'cancelled'
        OR coalesce(m.owed, 0) <> CASE d.state WHEN 'donated' THEN d.money_minor + d.match_minor ELSE 0 END
        OR coalesce(p.donated, 0) <> CASE h.state WHEN 'committed' THEN d.points ELSE 0 END
          AND NOT EXISTS (SELECT FROM detached_month WHERE parent = 'posting')`,
  },
  {
    name: 'what a fund gets of a sale is booked',
    text: `SELECT * FROM
      (SELECT brand, receipt_id, booked_minor FROM donation_share) s
      FULL JOIN (SELECT brand, cause_id AS receipt_id, -sum(amount) AS owed FROM money_entry
        WHERE kind = 'donation_share' AND account = 'payable' GROUP BY brand, cause_id) m USING (brand, receipt_id)
      WHERE coalesce(booked_minor, 0) <> coalesce(owed, 0)`,
  },
]
