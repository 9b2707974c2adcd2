-- Digest of the request behind a message of MessageCards: the same key with other cards or words is a conflict.
ALTER TABLE message ADD COLUMN request_digest bytea;

-- New rules on their way through a brand's cards, in the order of their numbers.
CREATE TABLE rules_walk (
  brand text PRIMARY KEY,
  version int NOT NULL,
  next_no bigint NOT NULL DEFAULT 0
);
