import type { Invariant } from './verify.ts'

/** Rules of gift cards and their side of the money books; that a posting sums to zero the table itself checks. */
export const giftCardInvariants: readonly Invariant[] = [
  {
    name: 'the money of a gift card equals its entries',
    text: `SELECT * FROM
      (SELECT brand, card_id::text AS party, balance_minor FROM gift_card) c
      FULL JOIN (SELECT brand, party, sum(amount) AS booked FROM money_entry WHERE account = 'giftcard' GROUP BY brand, party) e
        USING (brand, party)
      WHERE coalesce(balance_minor, 0) <> -coalesce(booked, 0) OR balance_minor IS NULL`,
  },
  {
    name: 'open holds of a gift card do not exceed its money',
    text: `SELECT * FROM (SELECT brand, card_id, sum(amount_minor) AS held FROM gift_card_hold WHERE state = 'open'
        GROUP BY brand, card_id) h
      LEFT JOIN gift_card c USING (brand, card_id)
      WHERE c.balance_minor IS NULL OR h.held > c.balance_minor OR c.state NOT IN ('active', 'expired')`,
  },
  {
    name: 'what gift cards paid is booked by its receipt or hold, once',
    text: `SELECT * FROM
      (SELECT brand, receipt_id AS cause_id, sum(amount_minor) AS paid FROM gift_card_payment GROUP BY brand, receipt_id
        UNION ALL SELECT brand, hold_id, committed_minor FROM gift_card_hold WHERE state = 'committed' AND receipt_id IS NULL) p
      FULL JOIN (SELECT brand, cause_id, sum(amount) AS booked FROM money_entry
        WHERE kind = 'gift_use' AND account = 'giftcard' GROUP BY brand, cause_id) e USING (brand, cause_id)
      WHERE coalesce(paid, 0) <> coalesce(booked, 0)`,
  },
  {
    name: 'what came back to gift cards is booked by their returns',
    text: `SELECT * FROM
      (SELECT brand, receipt_id AS paid_by, sum(returned_minor) AS returned FROM gift_card_payment GROUP BY brand, receipt_id
        UNION ALL SELECT brand, hold_id, returned_minor FROM gift_card_hold WHERE returned_minor > 0) p
      FULL JOIN (SELECT e.brand, coalesce(r.original_receipt_id, e.cause_id) AS paid_by, -sum(e.amount) AS booked
        FROM money_entry e LEFT JOIN receipt r ON r.brand = e.brand AND r.receipt_id = e.cause_id
        WHERE e.kind = 'gift_return' AND e.account = 'giftcard' GROUP BY 1, 2) b USING (brand, paid_by)
      WHERE coalesce(returned, 0) <> coalesce(booked, 0)
        AND NOT EXISTS (SELECT FROM detached_month WHERE parent = 'receipt')`,
  },
]
