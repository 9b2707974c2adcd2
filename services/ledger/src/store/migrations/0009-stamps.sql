-- What a receipt did to a stamp card, for its returns. A receipt's line of which some pieces were free is two lines.
CREATE TABLE stamp_receipt (
  brand text NOT NULL,
  receipt_id uuid NOT NULL,
  card_id text NOT NULL,
  member_id uuid NOT NULL,
  programme_version integer NOT NULL,
  line_indexes integer[] NOT NULL,
  line_quantities bigint[] NOT NULL,
  line_earned bigint[] NOT NULL,
  -- Stamps that free pieces took.
  line_paid bigint[] NOT NULL,
  line_returned bigint[] NOT NULL,
  lot_id uuid,
  spend_lots uuid[] NOT NULL,
  spend_points bigint[] NOT NULL,
  reverse_lots uuid[] NOT NULL DEFAULT '{}',
  reverse_points bigint[] NOT NULL DEFAULT '{}',
  reverse_debt bigint NOT NULL DEFAULT 0 CHECK (reverse_debt >= 0),
  CHECK (cardinality(line_indexes) = cardinality(line_quantities)
    AND cardinality(line_indexes) = cardinality(line_earned) AND cardinality(line_indexes) = cardinality(line_paid)
    AND cardinality(line_indexes) = cardinality(line_returned)),
  CHECK (sum_of(line_paid) = sum_of(spend_points)),
  PRIMARY KEY (receipt_id, card_id, brand)
) WITH (fillfactor = 80);
