-- Rules beyond the rates: stampede.ledger.v1.Programme; NULL for a version that has none.
ALTER TABLE programme ADD COLUMN rules bytea;

-- How a sale's points came about: stampede.ledger.v1.Explanations; NULL where only the base earned.
ALTER TABLE receipt ADD COLUMN explanations bytea;
