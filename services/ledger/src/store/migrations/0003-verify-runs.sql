-- Checks of the whole ledger: one a night, and whoever else asked for one. The newest that is finished is published.
CREATE TABLE verify_run (
  -- The night it stands for; two replicas that find it due want the same row.
  due_at timestamptz PRIMARY KEY,
  claimed_at timestamptz NOT NULL,
  finished_at timestamptz,
  -- Broken rule; empty when all hold.
  invariant text NOT NULL DEFAULT '',
  transactions bigint NOT NULL DEFAULT 0,
  seconds double precision NOT NULL DEFAULT 0
);
