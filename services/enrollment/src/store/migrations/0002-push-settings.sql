-- How a brand's pushes are sent; brands from before get the defaults.
ALTER TABLE brand
  ADD COLUMN push_type text NOT NULL DEFAULT 'background',
  ADD COLUMN push_priority integer NOT NULL DEFAULT 5,
  ADD COLUMN push_expiration_seconds integer NOT NULL DEFAULT 86400;
