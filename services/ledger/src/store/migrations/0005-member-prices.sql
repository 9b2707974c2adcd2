-- Prices of members' own. A receipt gets those of its own time, so ended ones stay.
CREATE TABLE member_price (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  price_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('set', 'favourite')),
  -- Half open.
  from_at timestamptz NOT NULL,
  until_at timestamptz NOT NULL,
  skus text[] NOT NULL,
  basis_points integer[] NOT NULL,
  -- Counts changes, for events.
  version bigint NOT NULL,
  CHECK (from_at <= until_at),
  CHECK (cardinality(skus) = cardinality(basis_points)),
  PRIMARY KEY (member_id, brand, price_id)
);

-- Units of a sale that were sold at the member's own price; what is left of a day's is counted from them and what was returned of
-- their lines.
CREATE TABLE member_price_use (
  brand text NOT NULL,
  member_id uuid NOT NULL,
  -- Business day of the sale.
  day date NOT NULL,
  receipt_id uuid NOT NULL,
  line_indexes integer[] NOT NULL,
  line_skus text[] NOT NULL,
  line_units bigint[] NOT NULL,
  CHECK (cardinality(line_indexes) = cardinality(line_skus) AND cardinality(line_indexes) = cardinality(line_units)),
  PRIMARY KEY (member_id, brand, day, receipt_id)
);
