-- When the ledger recorded what the pass's last change shows (a purchase, mostly): the beginning of "till to phone".
-- Empty when the last change was not the ledger's.
ALTER TABLE pass ADD COLUMN caused_at timestamptz;
