-- Whom a campaign tells at Google: the holders among 8,192 passes are one range of an index.
CREATE INDEX pass_google_holder ON pass (brand, no) INCLUDE (serial, locale) WHERE google_saved;
