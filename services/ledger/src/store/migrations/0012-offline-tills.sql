-- What points have paid of members' receipts of tills without a connection, by business day.
CREATE TABLE offline_day (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  day date NOT NULL,
  points bigint NOT NULL CHECK (points >= 0),
  PRIMARY KEY (member_id, day, brand)
) WITH (fillfactor = 80);

-- Of points_to_pay of such a receipt: what the member did not have, which is the brand's loss.
ALTER TABLE receipt ADD COLUMN points_short bigint NOT NULL DEFAULT 0 CHECK (points_short >= 0);
