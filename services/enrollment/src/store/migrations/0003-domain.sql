-- Own host name of a brand's links and web service; empty for the platform's.
ALTER TABLE brand ADD COLUMN domain text NOT NULL DEFAULT '';
